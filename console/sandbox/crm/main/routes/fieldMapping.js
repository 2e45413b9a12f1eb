'use strict';

const router = require('express').Router();
const db = require('../database/pool');
const { accountFields } = require('../controllers/fieldMappingController');

router.get('/', (req, res, next) => accountFields(db).then((fields) => res.json(fields)).catch(next));

module.exports = router;
