'use strict';

const express = require('express');
const db = require('./database/pool');

const app = express();
app.use(express.json());
app.get('/health', (req, res) => res.json({ status: 'ok', commit: process.env.COMMIT }));
app.use('/api/accounts', require('./routes/accounts'));
app.use('/api/dashboard', require('./routes/dashboard'));
app.use('/api/field-mapping', require('./routes/fieldMapping'));
app.use('/api/leads', require('./routes/leads'));
app.use('/api/reports', require('./routes/reports'));

app.use((error, req, res, next) => {
  console.error(`ERROR ${req.method} ${req.originalUrl} SQLSTATE ${error.code}: ${error.message}`);
  res.status(500).json({ error: error.message, sqlstate: error.code });
});

const server = app.listen(process.env.PORT);
process.on('SIGTERM', () => server.close(() => db.end()));
