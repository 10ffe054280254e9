// Takes the place of undici for the connections to Adobe. Its index also loads fetch, WebSocket,
// caches and mocks, which the relay does not use.
const api = require('undici/lib/api');
const Dispatcher = require('undici/lib/dispatcher/dispatcher');
const Pool = require('undici/lib/dispatcher/pool');

// As the index does.
Object.assign(Dispatcher.prototype, api);

module.exports = { Pool };
