/**
 * Statements that put a table under tenant isolation: row-level security that binds even the owner, the tenant's
 * rows for the application role, every row for the system role, and the grants of both.
 *
 * @param tenantColumn column that holds the tenant's id.
 * @param privileges what both roles may do; rows that must never change get no UPDATE and DELETE.
 */
export function isolateTenantTable(
  table: string,
  { tenantColumn = 'tenant_id', privileges = 'SELECT, INSERT, UPDATE, DELETE' } = {},
): string {
  return `
    ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant_rows ON ${table} TO nexusrag_app
      USING (${tenantColumn} = current_setting('app.tenant_id', true))
      WITH CHECK (${tenantColumn} = current_setting('app.tenant_id', true));
    CREATE POLICY all_rows ON ${table} TO nexusrag_system USING (true) WITH CHECK (true);
    GRANT ${privileges} ON ${table} TO nexusrag_app, nexusrag_system;
  `;
}

/** A tenant table of evidence: no request can delete its rows. */
export function evidence(table: string): string {
  return `
    ${isolateTenantTable(table, { privileges: 'SELECT, INSERT, UPDATE' })}
    GRANT DELETE ON ${table} TO nexusrag_system;
  `;
}
