import { PostgresServer } from '../helpers/postgres-process.ts';

// Starts a server, reports it to its parent and waits to be killed.
const server = await PostgresServer.create();
process.send?.({ folder: server.folder });
