export const DATA_CLASSIFICATIONS = ['public', 'general', 'internal', 'confidential', 'restricted'] as const;
export const ENFORCEMENT_MODES = ['monitor', 'block'] as const;
export type EnforcementMode = (typeof ENFORCEMENT_MODES)[number];

/** Where the data of a vector database may be, and what happens when it is elsewhere. */
export interface ResidencyPolicy {
  readonly id: number;
  readonly vectorDbId: number;
  readonly region: string;
  readonly dataClassification: (typeof DATA_CLASSIFICATIONS)[number];
  readonly enforcementMode: EnforcementMode;
  readonly active: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What is undefined has its default in a new policy, and stays as it is in one that exists. */
export interface PolicyChanges {
  readonly region: string;
  readonly dataClassification?: ResidencyPolicy['dataClassification'] | undefined;
  readonly enforcementMode?: EnforcementMode | undefined;
  readonly active?: boolean | undefined;
}
