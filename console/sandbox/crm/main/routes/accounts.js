'use strict';

const router = require('express').Router();
const db = require('../database/pool');
const accounts = require('../services/queryBuilderService');
const records = require('../services/accountService');
const creation = require('../services/leadConversionService');

const handle = (work) => (req, res, next) => work(req, res).catch(next);

router.get('/', handle(async (req, res) => {
  res.json(await accounts.list(db, req.query));
}));
router.post('/', handle(async (req, res) => {
  res.status(201).json(await creation.createAccount(db, req.body));
}));
router.get('/:id', handle(async (req, res) => {
  res.json(await accounts.find(db, req.params.id));
}));
router.patch('/:id', handle(async (req, res) => {
  res.json(await accounts.update(db, req.params.id, req.body));
}));
router.post('/:id/restore', handle(async (req, res) => {
  res.json(await accounts.restore(db, req.params.id));
}));
router.delete('/:id', handle(async (req, res) => {
  const gone = req.query.purge === 'true' ? records.purge : accounts.softDelete;
  res.json(await gone(db, req.params.id));
}));

module.exports = router;
