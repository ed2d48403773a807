/**
 * The baseline: what somebody would write who needs nothing but the answer. Express and pg, the same SQL as the
 * product, no authentication, no validation, no audit, no log. The argument names a file with what it serves.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import pg from 'pg';

const { databaseUrl, connectionOptions, document, plans, tokens, tokenMs } = JSON.parse(
  readFileSync(process.argv[2], 'utf8'),
);
const pool = new pg.Pool({ connectionString: databaseUrl, max: 30, options: connectionOptions });
const app = express();
app.use(express.json());

/** The statements of one search: what comes first, then both legs at once, then what follows from them. */
async function search(question) {
  const { before, legs, after } = plans[question];
  await chain(before);
  await Promise.all(legs.map(chain));
  return chain(after);
}

async function chain(statements) {
  let rows = [];
  for (const { text, values } of statements) rows = (await pool.query(text, values)).rows;
  return rows;
}

app.get('/documents/:id', async (_request, response) => {
  const { rows } = await pool.query({ name: 'document', ...document });
  response.json({ data: rows[0] });
});

app.get('/search', async (request, response) => {
  response.json({ items: await search(request.query.q) });
});

app.post('/run', async (request, response) => {
  await search(request.body.message);
  response.setHeader('Content-Type', 'text/event-stream');
  for (let token = 0; token < tokens; token += 1) {
    if (token > 0) await sleep(tokenMs);
    response.write(`data: {"type":"token.delta","data":{"delta":"token "}}\n\n`);
  }
  response.end('data: {"type":"done"}\n\n');
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listens on http://localhost:${server.address().port}`);
});
process.once('SIGTERM', () => process.exit(0));
