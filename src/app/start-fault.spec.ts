import { describe, expect, it } from '@jest/globals';
import { SettingsError } from '../kernel/settings.js';
import { DataFolderLocked } from '../platform/db/index.js';
import { MigrationsPending, startFault } from './start-fault.js';

const systemError = (fields: object): Error => Object.assign(new Error('system'), fields);

describe('startFault', () => {
  it('names the taken port and another one to try', () => {
    const fault = startFault(systemError({ code: 'EADDRINUSE', syscall: 'listen', port: 8000 }));
    expect(fault).toEqual({ code: 'PORT_IN_USE', message: expect.stringMatching(/Port 8000 .*PORT=8001/) });
  });

  it('offers a valid port when the highest one is taken', () => {
    const fault = startFault(systemError({ code: 'EADDRINUSE', syscall: 'listen', port: 65_535 }));
    expect(fault?.message).toContain('PORT=8080');
  });

  it('tells a database that is away from one that refuses the login', () => {
    expect(startFault(systemError({ code: 'ECONNREFUSED', syscall: 'connect' }))?.code).toBe('DATABASE_UNREACHABLE');
    expect(startFault(systemError({ code: '28P01' }))).toEqual({
      code: 'DATABASE_REFUSED',
      message: expect.stringContaining('password'),
    });
  });

  it('prints all faults of the settings together', () => {
    expect(startFault(new SettingsError(['PORT must be a number', 'X is not a setting']))?.message).toMatch(
      /PORT must be a number\n- X is not/,
    );
  });

  it('passes on what a locked folder and pending migrations say', () => {
    expect(startFault(new DataFolderLocked('/data', '7'))?.message).toContain('process 7');
    expect(startFault(new MigrationsPending(['A1', 'B2']))?.message).toContain('2 migrations');
  });

  it('leaves a programming error to be shown with its stack', () => {
    expect(startFault(new TypeError('x is not a function'))).toBeUndefined();
  });
});
