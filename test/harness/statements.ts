import type { DataSource } from 'typeorm';

type Send = (...parameters: unknown[]) => Promise<unknown>;

interface Connection {
  query: Send;
}

/**
 * Puts something around the statements that connections of the data source send from now on.
 *
 * @param around made once for each connection: what is called in place of its `query`.
 * @returns what takes it away again.
 */
export function aroundStatements(dataSource: DataSource, around: (send: Send) => Send): () => void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  const originals = new Map<Connection, Send>();
  dataSource.createQueryRunner = (mode) => {
    const runner = create(mode);
    const connect = runner.connect.bind(runner) as () => Promise<Connection>;
    runner.connect = async () => {
      const connection = await connect();
      if (!originals.has(connection)) {
        originals.set(connection, connection.query);
        connection.query = around(connection.query.bind(connection));
      }
      return connection;
    };
    return runner;
  };
  return () => {
    dataSource.createQueryRunner = create;
    for (const [connection, query] of originals) connection.query = query;
  };
}
