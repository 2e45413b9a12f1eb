'use strict';

const router = require('express').Router();
const db = require('../database/pool');
const reporting = require('../services/reportingService');

const handle = (work) => (req, res, next) => work(req, res).catch(next);

router.get('/accounts', handle(async (req, res) => {
  res.json(await reporting.accounts(db));
}));
router.get('/leads', handle(async (req, res) => {
  res.json(await reporting.leads(db, req.query));
}));

module.exports = router;
