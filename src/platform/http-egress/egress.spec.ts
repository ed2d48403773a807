import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ManualClock, SystemClock, type Clock } from '../../kernel/time.js';
import { loadSettings, SettingsError } from '../../kernel/settings.js';
import { ScriptedServer } from '../../../test/harness/scripted-server.js';
import { until } from '../../../test/harness/until.js';
import { isAllowedAddress, targetFault } from './allowed-target.js';
import { Egress, type EgressFailure, type EgressResponse, type Resolve } from './egress.js';
import { egressPolicy, httpEgressSettings } from './http-egress.settings.js';

const PUBLIC = { allowPrivate: false };
const PRIVATE = { allowPrivate: true };

// Each of these has been somebody's way to a metadata service or an admin page behind the firewall.
const REFUSED = [
  'http://hooks.example/',
  'ftp://hooks.example/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'hooks.example',
  'https://user:secret@hooks.example/',
  'https://user@hooks.example/',
  'https://127.0.0.1/',
  'https://127.0.0.1./',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0177.0.0.1/',
  'https://0x7f.1/',
  'https://0/',
  'https://0.0.0.0/',
  'https://10.0.0.1/',
  'https://172.31.255.255/',
  'https://192.168.1.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://100.64.0.1/',
  'https://100.100.100.200/',
  'https://192.0.0.192/',
  'https://192.0.2.1/',
  'https://198.18.0.1/',
  'https://224.0.0.1/',
  'https://240.0.0.1/',
  'https://255.255.255.255/',
  'https://168.63.129.16/',
  'https://①②⑦.⓪.⓪.①/',
  'https://[::]/',
  'https://[::1]/',
  'https://[::127.0.0.1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:8.8.8.8]/',
  'https://[::ffff:0:127.0.0.1]/',
  'https://[64:ff9b::127.0.0.1]/',
  'https://[64:ff9b:1::1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001::1]/',
  'https://[2001:db8::1]/',
  'https://[3fff::1]/',
  'https://[5f00::1]/',
  'https://[100::1]/',
  'https://[fc00::1]/',
  'https://[fd00:ec2::254]/',
  'https://[fe80::1]/',
  'https://[fec0::1]/',
  'https://[ff02::1]/',
];

describe('a target, before its name is looked up', () => {
  it.each(REFUSED)('%s is refused', (url) => {
    expect(targetFault(url, PUBLIC)).toEqual(expect.stringMatching(/^(is|must)/));
  });

  it.each(['https://hooks.example/a?b=c', 'https://8.8.8.8:8443/', 'https://[2606:4700:4700::1111]/'])(
    '%s is allowed',
    (url) => {
      expect(targetFault(url, PUBLIC)).toBeUndefined();
    },
  );

  it('may be local in development, and a metadata service never', () => {
    const local = [
      'http://127.0.0.1:9/',
      'http://localhost/',
      'https://10.0.0.1/',
      'http://[::1]/',
      'http://[fd00::1]/',
    ];
    for (const url of local) expect([url, targetFault(url, PRIVATE)]).toEqual([url, undefined]);
    const never = ['http://169.254.169.254/', 'http://[fe80::1]/', 'http://0.0.0.0/', 'http://[::ffff:127.0.0.1]/'];
    for (const url of never) expect([url, targetFault(url, PRIVATE)]).toEqual([url, expect.any(String)]);
  });
});

describe('an address, as a resolver prints it', () => {
  it.each(['fe80::1%eth0', '2606:4700::1%1', '1', '0x7f000001', '127.1', '::ffff:10.0.0.1', '', 'localhost'])(
    '%s is refused',
    (address) => {
      expect(isAllowedAddress(address, PUBLIC)).toBe(false);
    },
  );

  it('is allowed when it is globally routable', () => {
    for (const address of ['8.8.8.8', '2606:4700:4700::1111']) expect(isAllowedAddress(address, PUBLIC)).toBe(true);
  });
});

describe('the policy', () => {
  const policyOf = (env: Record<string, string>) => {
    const settings = loadSettings(env, [httpEgressSettings]);
    return egressPolicy(settings.get(httpEgressSettings), settings.mode);
  };

  it('is open in development unless it is closed, and closed in production, which refuses to open it', () => {
    expect(policyOf({})).toEqual(PRIVATE);
    expect(policyOf({ WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'false' })).toEqual(PUBLIC);
    expect(policyOf({ NODE_ENV: 'production' })).toEqual(PUBLIC);
    const opened = { NODE_ENV: 'production', WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true' };
    expect(() => policyOf(opened)).toThrow(SettingsError);
  });
});

/** Hangs up on whoever connects, after noting what came first. */
class TcpServer {
  readonly received: Buffer[] = [];
  private constructor(readonly server: Server) {}

  static async start(answer: (received: Buffer) => string | undefined): Promise<TcpServer> {
    const tcp = new TcpServer(
      createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', (data) => {
          tcp.received.push(data);
          const text = answer(data);
          if (text === undefined) socket.destroy();
          else socket.write(text);
        });
      }),
    );
    tcp.server.listen(0, '127.0.0.1');
    await once(tcp.server, 'listening');
    return tcp;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.close();
    await once(this.server, 'close');
  }
}

describe('a call', () => {
  let receiver: ScriptedServer;
  beforeAll(async () => {
    receiver = await ScriptedServer.start((response) => response.writeHead(204).end());
  });
  afterEach(() => void receiver.requests.splice(0));
  afterAll(() => receiver.close());

  const post = (
    url: string,
    { policy = PRIVATE, resolve, clock = new SystemClock() }: Partial<Options> = {},
    more: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<EgressResponse> =>
    new Egress(policy, clock, resolve).post({ url, headers: { 'X-A': '1' }, body: 'ü', timeoutMs: 10_000, ...more });
  interface Options {
    readonly policy: { allowPrivate: boolean };
    readonly resolve: Resolve;
    readonly clock: Clock;
  }
  const faultOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'answered',
      (error: unknown) => (error as EgressFailure).fault,
    );
  const named = (host: string): string => receiver.url.replace('127.0.0.1', host);

  it('posts the bytes and tells the status', async () => {
    expect(await post(`${receiver.url}/hooks`)).toMatchObject({ status: 204 });
    const headers = { 'x-a': '1', 'content-length': '2', connection: 'close' };
    expect(receiver.requests).toEqual([expect.objectContaining({ method: 'POST', path: '/hooks', body: 'ü' })]);
    expect(receiver.requests[0]?.headers).toMatchObject(headers);
  });

  it('refuses a name of which any address is not allowed, without connecting', async () => {
    for (const bad of ['127.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', 'fe80::1%eth0']) {
      const resolve = (): Promise<string[]> => Promise.resolve(['93.184.215.14', bad]);
      const call = post('https://rebind.example/', { policy: PUBLIC, resolve });
      expect(await faultOf(call)).toBe('target_not_allowed');
    }
    const metadata = (): Promise<string[]> => Promise.resolve(['169.254.169.254']);
    expect(await faultOf(post('http://rebind.example/', { resolve: metadata }))).toBe('target_not_allowed');
  });

  // DNS rebinding: the name is harmless when it is checked, and internal when the connection asks again.
  it('connects to the address that was checked, however the name resolves afterwards', async () => {
    let lookups = 0;
    const resolve = (): Promise<string[]> => Promise.resolve([(lookups += 1) === 1 ? '127.0.0.1' : '169.254.169.254']);
    expect(await post(named('rebind.example'), { resolve })).toMatchObject({ status: 204 });
    expect(lookups).toBe(1);
    expect(receiver.requests[0]?.headers.host).toMatch(/^rebind\.example:/);
  });

  it('keeps the name for TLS to verify', async () => {
    const tcp = await TcpServer.start(() => undefined);
    const resolve = (): Promise<string[]> => Promise.resolve(['127.0.0.1']);
    expect(await faultOf(post(`https://tls.example:${tcp.port}/`, { resolve }))).toBe('connection_failed');
    expect(tcp.received[0]?.includes('tls.example')).toBe(true);
    await tcp.close();
  });

  it('follows no redirect', async () => {
    receiver.next((response) => response.writeHead(302, { Location: `${receiver.url}/internal` }).end());
    expect(await post(receiver.url)).toMatchObject({ status: 302, headers: { location: expect.any(String) } });
    expect(receiver.requests).toHaveLength(1);
  });

  it('reads a few KB of an endless answer and hangs up', async () => {
    let written = 0;
    let over = false;
    receiver.next((response) => {
      response.on('close', () => (over = true));
      response.writeHead(200);
      const more = (): void => {
        while (!over && response.write(Buffer.alloc(16_384))) written += 16_384;
      };
      response.on('drain', more);
      more();
    });
    expect(await post(receiver.url)).toMatchObject({ status: 200 });
    await until(() => over);
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  it('ends at its deadline: a name that nobody resolves, a receiver that never answers', async () => {
    const clock = new ManualClock();
    const silent = (): Promise<string[]> => new Promise(() => undefined);
    const unresolved = faultOf(post('http://silent.example/', { clock, resolve: silent }, { timeoutMs: 2_000 }));
    clock.advance(2_000);
    expect(await unresolved).toBe('timeout');
    const tcp = await TcpServer.start(() => '');
    const unanswered = faultOf(post(`http://127.0.0.1:${tcp.port}/`, { clock }, { timeoutMs: 2_000 }));
    await until(() => tcp.received.length > 0);
    clock.advance(2_000);
    expect(await unanswered).toBe('timeout');
    await tcp.close();
  });

  it('takes the status of an answer whose body never ends by the deadline', async () => {
    receiver.next((response) => response.writeHead(200).write('a'));
    expect(await post(receiver.url, {}, { timeoutMs: 1_000 })).toMatchObject({ status: 200 });
  });

  it('ends with its caller, and with the reason', async () => {
    const caller = new AbortController();
    receiver.next(() => undefined);
    const call = post(receiver.url, {}, { signal: caller.signal });
    await until(() => receiver.requests.length > 0);
    caller.abort(new Error('Enough.'));
    await expect(call).rejects.toThrow('Enough.');
  });

  it.each(['', 'no HTTP at all\r\n\r\n', `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`])(
    'fails when the receiver answers no HTTP (%#)',
    async (answer) => {
      const tcp = await TcpServer.start(() => (answer === '' ? undefined : answer));
      expect(await faultOf(post(`http://127.0.0.1:${tcp.port}/`))).toBe('connection_failed');
      await tcp.close();
    },
  );

  it('fails when nobody has the name, or listens', async () => {
    const resolve = (): Promise<string[]> => Promise.reject(new Error('ENOTFOUND'));
    expect(await faultOf(post('http://nobody.example/', { resolve }))).toBe('name_not_found');
    const tcp = await TcpServer.start(() => undefined);
    const { port } = tcp;
    await tcp.close();
    expect(await faultOf(post(`http://127.0.0.1:${port}/`))).toBe('connection_failed');
  });
});
