export { targetFault, type EgressPolicy } from './allowed-target.js';
export { Egress, EgressFailure, type EgressFault, type EgressResponse } from './egress.js';
export { egressPolicy, httpEgressSettings } from './http-egress.settings.js';
