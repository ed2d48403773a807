/**
 * Who is served next: the tenants that have jobs due take turns, in the order of their ids, one job each, however long
 * their backlogs are. While two tenants both have jobs due, the numbers of jobs they were served differ by at most one;
 * a tenant waits for at most one job of every other before its next; one that is alone is served without a break.
 *
 * Whose turn it is follows from the jobs themselves: each delivery gets the next number of its job name, and the
 * tenant of the highest number was served last. So there is no further state that could be lost or disagree.
 *
 * The index on (name, tenant_id, run_at, id) of the waiting jobs is walked from tenant to tenant: one probe for each
 * tenant passed, at most as many tenants as there is room for jobs, plus those whose jobs are all waiting for a retry.
 * No step depends on the length of a backlog.
 */

/** No queue has it. */
export const WAITING = `state = 'pending' AND delivered_at IS NULL`;
/** A queue has it, or had it and lost it. */
export const DELIVERED = `state = 'pending' AND delivered_at IS NOT NULL`;

/**
 * Lets one relay at a time give turns of a job name; until the end of the transaction. $1 job name. A statement of its
 * own, so that the next one sees what the relay before it did.
 */
export const AWAIT_TURNS = `SELECT pg_advisory_xact_lock(hashtextextended('outbox_jobs.turn ' || $1, 0))`;

/**
 * Marks the next jobs as delivered and returns them in turn. $1 job name, $2 now, $3 most deliveries that may wait.
 * Rows are found again by a list of their places in the table: joined by key, they made the planner walk the whole
 * backlog, for one reason with old statistics and for another with fresh ones. A row that another transaction changes
 * meanwhile is at another place then, and left out.
 */
export const TAKE_TURNS = `
  WITH RECURSIVE room AS MATERIALIZED (
    SELECT $3::int - count(*)::int AS jobs
      FROM (SELECT FROM outbox_jobs WHERE name = $1 AND ${DELIVERED} LIMIT $3) held
  ), last AS MATERIALIZED (
    SELECT coalesce(max(tenant_id), '') AS tenant_id, coalesce(max(turn), 0) AS turn
      FROM (SELECT tenant_id, turn FROM outbox_jobs WHERE name = $1 AND turn IS NOT NULL ORDER BY turn DESC LIMIT 1) job
  ), ring (tenant_id, place, due, wrapped) AS (
    SELECT tenant_id, 0, 0, false FROM last
    UNION ALL
    SELECT step.tenant_id, ring.place + 1, ring.due + (step.run_at <= $2)::int, step.wrapped
      FROM ring CROSS JOIN LATERAL (
        SELECT * FROM (
          (SELECT tenant_id, run_at, ring.wrapped FROM outbox_jobs
            WHERE name = $1 AND ${WAITING} AND tenant_id > ring.tenant_id
              AND (NOT ring.wrapped OR tenant_id <= (SELECT tenant_id FROM last))
            ORDER BY tenant_id, run_at LIMIT 1)
          UNION ALL
          (SELECT tenant_id, run_at, true FROM outbox_jobs
            WHERE name = $1 AND ${WAITING} AND NOT ring.wrapped AND tenant_id <= (SELECT tenant_id FROM last)
            ORDER BY tenant_id, run_at LIMIT 1)
        ) following (tenant_id, run_at, wrapped) ORDER BY wrapped LIMIT 1
      ) step
     WHERE ring.due < (SELECT jobs FROM room)
  ), served AS (
    SELECT job.row, row_number() OVER (ORDER BY job.lap, ring.place) AS place
      FROM ring CROSS JOIN LATERAL (
        SELECT ctid AS row, row_number() OVER (ORDER BY run_at, id) AS lap FROM outbox_jobs
         WHERE ring.place > 0 AND name = $1 AND ${WAITING} AND tenant_id = ring.tenant_id AND run_at <= $2
         ORDER BY run_at, id LIMIT $3
      ) job
     ORDER BY place LIMIT (SELECT jobs FROM room)
  ), marked AS (
    UPDATE outbox_jobs job SET delivered_at = $2, turn = last.turn + served.place FROM served, last
     WHERE job.ctid = ANY (ARRAY(SELECT row FROM served)) AND job.ctid = served.row
    RETURNING job.*
  )
  SELECT tenant_id AS "tenantId", id, name, attempts, run_at AS "runAt", delivered_at AS "deliveredAt"
    FROM marked ORDER BY turn`;

/** Every job name that has waiting jobs, found by as many probes as there are names. */
export const WAITING_NAMES = `
  WITH RECURSIVE names (name) AS (
    (SELECT name FROM outbox_jobs WHERE ${WAITING} ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (SELECT name FROM outbox_jobs WHERE ${WAITING} AND name > names.name ORDER BY name LIMIT 1)
      FROM names WHERE names.name IS NOT NULL
  )
  SELECT name FROM names WHERE name IS NOT NULL`;
