// Copyright: siptls.cucm contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Calls methods of a client package one after the other; prints what each gave or threw as one line of JSON.
const { client, create, calls } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const Client = require(client);
(async () => {
  const service = create ? new Client(...create) : Client;
  const results = [];
  for (const [method, ...parameters] of calls) {
    // "$n.path" stands for what call n gave.
    const given = parameters.map((value) => {
      const found = typeof value === "string" && /^\$(\d+)\.(\w+)$/.exec(value);
      return found ? results[found[1]].gave[found[2]] : value;
    });
    try {
      results.push({ gave: await service[method](...given) });
    } catch (error) {
      results.push({ threw: { message: String(error.message || error), ...error } });
    }
  }
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
})();
