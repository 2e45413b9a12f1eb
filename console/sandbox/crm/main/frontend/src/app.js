'use strict';

async function show() {
  const kpis = await (await fetch('/api/dashboard/kpis')).json();
  const accounts = await (await fetch('/api/accounts?limit=20')).json();
  const term = (text, tag) => Object.assign(document.createElement(tag), { textContent: text });
  for (const [name, value] of Object.entries(kpis)) {
    document.querySelector('#kpis').append(term(name, 'dt'), term(value, 'dd'));
  }
  for (const account of accounts) {
    document.querySelector('#accounts').append(term(`${account.name} (${account.status})`, 'li'));
  }
}

show();
