import { defineSettings, int, oneOf, text, textMap, type SettingsOf } from '../../kernel/settings.js';

const MODES = ['off', 'monitor', 'block'] as const;

export const residencySettings = defineSettings(
  'residency',
  'Residency',
  {
    region: text({
      env: 'STATEWAVE_REGION',
      default: undefined,
      exact: true,
      pattern: /^[^\s\p{C}]{1,64}$/u,
      doc: 'Zone of this process: tenants that are pinned to another one are refused. Unset: single-region mode, in which pins mean nothing.',
    }),
    site: text({
      env: 'REGION_ID',
      default: 'ap-southeast-1',
      doc: 'Site of this process. Receipts name it; it decides nothing about who is served.',
    }),
    regionMap: textMap({
      env: 'RESIDENCY_REGION_MAP_JSON',
      doc: 'Zones of sites and cloud regions, such as {"eu-central-1":"eu"}. A region that is not listed is its own zone.',
    }),
    endpoints: textMap({
      env: 'RESIDENCY_ENDPOINTS_JSON',
      doc: 'Where the API of each zone is, such as {"us":"https://us.example.com"}: told to tenants that reached the wrong one.',
    }),
    failMode: oneOf(['open', 'closed'], {
      env: 'RESIDENCY_FAIL_MODE',
      default: 'open',
      doc: 'When the pin of a tenant cannot be read and was never seen: open serves it with a warning; closed answers 503 residency.unavailable, and serves no governed corpus whose rules cannot be read.',
    }),
    cacheTtlSeconds: int({
      env: 'RESIDENCY_CACHE_TTL_S',
      default: 0,
      min: 0,
      max: 30,
      unit: 's',
      doc: 'How long a pin is remembered, which saves one read a request. Changes reach every process by message all the same; 0 reads it each time.',
    }),
    providerMode: oneOf(MODES, {
      env: 'RESIDENCY_PROVIDER_MODE',
      default: 'block',
      doc: 'What happens when the corpus of a pinned tenant is on a provider outside its zone.',
    }),
    egressMode: oneOf(MODES, {
      env: 'RESIDENCY_EGRESS_MODE',
      default: 'monitor',
      doc: 'What happens when a model endpoint is outside the zone of a pinned tenant (see LLM_REGION). A tenant can have its own egress_mode.',
    }),
  },
  [
    ({ endpoints }) =>
      Object.values(endpoints).every((endpoint) => /^https?:\/\//.test(endpoint) && URL.canParse(endpoint))
        ? undefined
        : 'RESIDENCY_ENDPOINTS_JSON must name a URL starting with https:// or http:// for each zone.',
    ({ region, site, regionMap }) =>
      region === undefined || !Object.hasOwn(regionMap, site) || regionMap[site] === region
        ? undefined
        : 'REGION_ID is in another zone than STATEWAVE_REGION says, by RESIDENCY_REGION_MAP_JSON (RESIDENCY_REGION_CONFLICT). Correct one of them.',
  ],
);

export type ResidencySettings = SettingsOf<typeof residencySettings>;
