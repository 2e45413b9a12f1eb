'use strict';

const router = require('express').Router();
const db = require('../database/pool');
const leads = require('../services/leadService');
const { convert } = require('../services/leadConversionService');

const handle = (work) => (req, res, next) => work(req, res).catch(next);

router.get('/', handle(async (req, res) => {
  res.json(await leads.list(db, req.query));
}));
router.post('/', handle(async (req, res) => {
  res.status(201).json(await leads.create(db, req.body));
}));
router.post('/:id/convert', handle(async (req, res) => {
  res.status(201).json(await convert(db, req.params.id));
}));
router.delete('/:id', handle(async (req, res) => {
  res.json(await leads.purge(db, req.params.id));
}));

module.exports = router;
