/** What reads and writes of governed vector databases have in common. Writes answer 200, whether they create or change. */
export const READ = {
  role: 'reader',
  rateClass: 'read',
  cost: 1,
  feature: 'feature.vector_db_governance',
} as const;

export const WRITE = {
  role: 'editor',
  rateClass: 'mutation',
  cost: 1,
  feature: 'feature.vector_db_governance',
  body: 'json',
} as const;

/** Of a path that names a vector database. */
export const OF_ONE = ['NOT_FOUND', 'VECTOR_DB_NOT_FOUND', 'VECTOR_DB_OWNERSHIP_MISMATCH', 'REQUEST_VALIDATION_ERROR'];
