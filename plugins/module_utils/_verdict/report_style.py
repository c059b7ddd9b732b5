# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of the report: one style sheet for light, dark, paper and telephones. Private to this collection."""

from __future__ import annotations

STYLE = """
:root{--bg:#f5f6f8;--card:#fff;--ink:#16202c;--soft:#5a6877;--line:#dfe4ea;--field:#f0f3f6;
--secure:#0b7a4b;--secure-bg:#e3f5ec;--insecure:#b3261e;--insecure-bg:#fdeae8;--unproven:#8a5a00;--unproven-bg:#fdf2dc;
--accent:#1f5fbf;--shadow:0 1px 2px rgba(20,30,45,.06),0 8px 24px rgba(20,30,45,.06)}
@media (prefers-color-scheme:dark){:root{--bg:#0f141a;--card:#182028;--ink:#e7edf3;--soft:#9aa8b6;--line:#2b3743;
--field:#202a34;--secure:#5fd39b;--secure-bg:#12301f;--insecure:#ff8a80;--insecure-bg:#3a1917;--unproven:#f0c060;
--unproven-bg:#35290f;--accent:#8ab8ff;--shadow:none}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;color-scheme:light dark}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
main,header .in,footer{max-width:1080px;margin:0 auto;padding:0 24px}
h1{font-size:1.05rem;font-weight:600;margin:0;letter-spacing:.01em}
h2{font-size:1.3rem;margin:0 0 .3rem;letter-spacing:-.01em;line-height:1.25}
h3{font-size:1rem;margin:0 0 .5rem}
p{margin:.2rem 0 .8rem}
.lead{color:var(--soft);max-width:70ch}
header{padding:22px 0 0}
header .in{display:flex;justify-content:space-between;gap:16px;flex-wrap:wrap;color:var(--soft)}
.hero{margin:18px 0 28px;border-radius:20px;padding:30px 34px;display:flex;gap:26px;align-items:center;
box-shadow:var(--shadow);border:1px solid var(--line)}
.hero .word{font-size:clamp(2rem,6vw,3.1rem);font-weight:750;line-height:1.05;letter-spacing:-.03em;
text-transform:capitalize}
.hero p{margin:.5rem 0 0;font-size:1.08rem;color:var(--ink);max-width:62ch}
.shield{width:84px;height:84px;flex:none}
.face{fill:currentColor}.mark{fill:none;stroke:var(--card);stroke-width:4;stroke-linecap:round;stroke-linejoin:round}
.hero.secure{background:var(--secure-bg);color:var(--secure)}
.hero.insecure{background:var(--insecure-bg);color:var(--insecure)}
.hero.unproven{background:var(--unproven-bg);color:var(--unproven)}
.glance{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:14px;margin:0 0 22px}
.tile{display:flex;gap:14px;align-items:flex-start;background:var(--card);border:1px solid var(--line);
border-radius:16px;padding:16px 18px;box-shadow:var(--shadow);min-width:0}
.tile>div{min-width:0}.tile .shield{width:34px;height:34px;margin-top:2px}
.tile .q{color:var(--soft);font-size:.92rem;line-height:1.3}
.tile .a{font-weight:700;font-size:1.12rem;text-transform:capitalize}.tile .src{color:var(--soft)}
.tile.secure .a,.tile.secure .shield{color:var(--secure)}
.tile.insecure .a,.tile.insecure .shield{color:var(--insecure)}
.tile.unproven .a,.tile.unproven .shield{color:var(--unproven)}
.net{max-width:640px;margin:6px auto 20px}.net svg{max-width:640px}
section{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:26px 28px;margin:0 0 22px;
box-shadow:var(--shadow)}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:22px;align-items:start}
.two>*{min-width:0}
svg{display:block;width:100%;height:auto;max-width:560px;margin:0 auto;font-family:inherit}
.shield{margin:0}
.box{fill:var(--field);stroke:var(--line);stroke-width:1.5}
.icon{fill:none;stroke:var(--soft);stroke-width:1.5}
.name,.end{fill:var(--ink);font-weight:650;font-size:14px;text-anchor:middle}.end{font-size:11.5px}
.small,.tag,.time{fill:var(--soft);font-size:11px;text-anchor:middle}.time{font-size:9px}
.trunk{stroke-width:3;stroke:var(--soft)}
.trunk.secure{stroke:var(--secure)}.trunk.insecure{stroke:var(--insecure);stroke-dasharray:7 5}
.trunk.unproven{stroke:var(--unproven);stroke-dasharray:2 5}
.head.secure{fill:var(--secure)}.head.insecure{fill:var(--insecure)}.head.unproven{fill:var(--unproven)}
.life{stroke:var(--line);stroke-width:1.5;stroke-dasharray:3 4}
.rung line{stroke:var(--soft);stroke-width:1.4}.rung path{fill:var(--soft)}
.rung text{fill:var(--ink);font-size:11.5px;text-anchor:middle}.rung .time{fill:var(--soft);font-size:9px}
.rung.good line{stroke:var(--secure)}.rung.good path{fill:var(--secure)}
.rung.bad line{stroke:var(--insecure)}.rung.bad path,.rung.bad text{fill:var(--insecure)}
.rung.key line{stroke:var(--accent);stroke-width:2}.rung.key path{fill:var(--accent)}
.rung.key text:not(.time){font-weight:650}
.rung.quiet line,.rung.quiet path{opacity:0}.rung.quiet text{fill:var(--soft)}
.pill{display:inline-block;border-radius:999px;padding:.12rem .7rem;font-size:.82rem;font-weight:650;white-space:nowrap}
.pill.secure,.pill.same{background:var(--secure-bg);color:var(--secure)}
.pill.insecure,.pill.differs,.pill.error{background:var(--insecure-bg);color:var(--insecure)}
.pill.unproven,.pill.missing,.pill.warning,.pill.one_sided{background:var(--unproven-bg);color:var(--unproven)}
.card{border:1px solid var(--line);border-radius:12px;padding:16px 18px;margin:0 0 14px}
.card .top{display:flex;justify-content:space-between;gap:10px;flex-wrap:wrap;align-items:center;margin:0 0 .5rem}
.card .top b{font-size:1.05rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.4rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
dl.rows{display:block}dl.rows dd{margin:0 0 .6rem}
.finding{border-left:4px solid var(--unproven);padding:.1rem 0 .1rem 14px;margin:.8rem 0}
.finding.error{border-color:var(--insecure)}
.finding p{margin:.15rem 0}.finding .do{color:var(--soft)}
ul.evidence{margin:.4rem 0;padding-left:1.1rem}ul.evidence li{margin:.15rem 0}
.src{color:var(--soft);font-size:.85rem}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--accent);font-weight:600}
.compare{display:grid;gap:1px;background:var(--line);border:1px solid var(--line);border-radius:12px;overflow:hidden;
grid-template-columns:9.5rem repeat(var(--cols),minmax(0,1fr));margin:.6rem 0 1.2rem;font-size:.9rem}
.compare>*{background:var(--card);padding:.5rem .7rem;overflow-wrap:anywhere;min-width:0}
.compare .h{background:var(--field);font-weight:650}.compare .k{color:var(--soft)}
.compare .differs{background:var(--insecure-bg);color:var(--insecure)}
.label{display:none;color:var(--soft);font-size:.78rem}
code,.mono{font:.86em/1.45 ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere}
.file{padding:.55rem 0;border-top:1px solid var(--line)}.file:first-of-type{border-top:0}
.matrix{overflow-x:auto}.matrix table{border-collapse:collapse;font-size:.8rem}
.matrix td,.matrix th{padding:.2rem .4rem;border:1px solid var(--line);text-align:center;font-weight:600}
.matrix td.secure{background:var(--secure-bg);color:var(--secure)}
.matrix td.insecure{background:var(--insecure-bg);color:var(--insecure)}
.matrix td.unproven{background:var(--unproven-bg);color:var(--unproven)}
footer{color:var(--soft);font-size:.88rem;padding-bottom:40px}
@media (max-width:700px){main,header .in,footer{padding:0 14px}.hero{padding:22px 20px;gap:16px;align-items:flex-start}
.shield{width:52px;height:52px}section{padding:20px 16px}
.compare{grid-template-columns:1fr!important}.compare .h,.compare .k{display:none}
.compare .k:not(.h){display:block;background:var(--field);font-weight:650;color:var(--ink)}.label{display:block}
.compare .twin{display:none}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}}
@media print{:root{--bg:#fff;--card:#fff;--ink:#111;--soft:#444;--line:#bbb;--field:#f2f2f2;--secure:#0b6b42;
--secure-bg:#eaf6f0;--insecure:#a11;--insecure-bg:#fceeee;--unproven:#7a5000;--unproven-bg:#fbf3e2;--shadow:none}
body{font-size:11pt}.hero,.tile,.card,.finding,.compare,.file,svg{break-inside:avoid}h2,h3{break-after:avoid}
section{padding:14px 0;border:0;border-radius:0}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}details>*{display:block!important}}
"""
