'use strict';

const router = require('express').Router();
const db = require('../database/pool');
const { dashboardKpis } = require('../services/queryBuilderService');

router.get('/kpis', (req, res, next) => dashboardKpis(db).then((kpis) => res.json(kpis)).catch(next));

module.exports = router;
