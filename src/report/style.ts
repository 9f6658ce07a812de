/** The style sheet: a well-set page in light, in dark and on paper, from 320 pixels up. */
import { INKS, type Ink } from './palette.ts';

const variables = (side: keyof Ink): string =>
  Object.entries(INKS)
    .map(([name, ink]) => `--${name}:${ink[side]}`)
    .join(';');

const LIGHT = `color-scheme:light;${variables('light')};--tint:#f6f7f9;--link:#0b5fa5;--good:#00735a;--shade:rgb(20 24 32/.08);--edge:rgb(20 24 32/.16)`;
const DARK = `color-scheme:dark;${variables('dark')};--tint:#1d2026;--link:#7cbcf2;--good:#35c99c;--shade:rgb(0 0 0/.5);--edge:rgb(0 0 0/.6)`;

/** Charts carry light colours of their own, for standing alone; these classes follow the theme. */
const CHART_CLASSES = Object.keys(INKS)
  .map((name) => `.f-${name}{fill:var(--${name})}.s-${name}{stroke:var(--${name})}`)
  .join('\n');

/** Boxes of a matrix, the fuller of attack the darker, and never so dark that its words would be hard to read. */
const SHADES = [1, 2, 3, 4, 5]
  .map((shade) => `.shade-${shade}{background:color-mix(in srgb,var(--attacked) ${7 * shade}%,var(--paper))}`)
  .join('\n');

export const STYLE = `
:root{${LIGHT}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){${DARK}}}
@media screen{:root[data-theme=dark]{${DARK}}}
${CHART_CLASSES}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{overflow-wrap:break-word;margin:0 auto;max-width:1120px;padding:0 clamp(16px,4vw,40px) 64px;background:var(--paper);color:var(--ink);
  font:17px/1.55 Charter,"Bitstream Charter","Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Georgia,"Liberation Serif",serif}
.masthead,table,figure,.facts,.note,.interval,.flag,button,details,.pairs,.methods,.runs .how,.runs .when,h3>span,.downloads{
  font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif}
a{color:var(--link);text-underline-offset:.15em;text-decoration-thickness:1px}
a:focus-visible,button:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
h1,h2,h3{line-height:1.25;text-wrap:balance;margin:0}
h1{font-size:clamp(1.45rem,1rem + 1.9vw,2.05rem);font-weight:600;letter-spacing:-.006em;max-width:36em}
h2{font-size:1.4rem;font-weight:600;margin-bottom:1rem}
h3{font-size:1.02rem;font-weight:600;margin:2rem 0 .7rem}
h3>span{display:inline-block;font-size:.82rem;font-weight:400;color:var(--muted)}
p{margin:0 0 1rem;max-width:44em}
small{font-size:.75rem;font-weight:400}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.82em;overflow-wrap:anywhere}
pre{white-space:pre-wrap;background:var(--tint);border-radius:6px;padding:.8rem 1rem;margin:0 0 1rem;line-height:1.5}
pre code{font-size:.85rem}
.together{white-space:nowrap}
.number{white-space:nowrap;font-variant-numeric:tabular-nums lining-nums}
.attacked{color:var(--attacked)}
.interval{font-size:.75rem;color:var(--muted);white-space:nowrap;font-variant-numeric:tabular-nums}
.note,figcaption,caption{font-size:.82rem;line-height:1.5;color:var(--muted)}
.note{margin:.9rem 0 0;max-width:62em}
main>section{margin-top:4rem}
figure{margin:0}
figcaption{margin-top:.8rem;max-width:62em}
button{font-size:.8rem;color:inherit;background:none;border:1px solid var(--rule);border-radius:6px;padding:.3rem .7rem;cursor:pointer}
button:hover{background:var(--tint)}
.masthead{display:flex;justify-content:space-between;align-items:center;gap:1rem;padding:1.1rem 0;border-bottom:1px solid var(--rule);margin-bottom:clamp(1.6rem,4vw,3rem);font-size:.85rem;color:var(--muted)}
.brand{display:flex;align-items:center;gap:.5em;margin:0}
.brand rect{stroke:var(--rule)}
.brand b{color:var(--ink);letter-spacing:.01em}
.finding h1 .interval{font-size:.5em;font-weight:400;letter-spacing:0;vertical-align:.14em}
.also{font-size:1.15rem;margin:1rem 0 0}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:1.1rem 1.6rem;margin:1.8rem 0 0;padding:1rem 0;border-top:2px solid var(--ink);border-bottom:1px solid var(--rule)}
.facts dt{font-size:.75rem;color:var(--muted)}
.facts dd{margin:.1rem 0 0;font-size:.95rem;line-height:1.35;overflow-wrap:anywhere}
.facts dd::first-letter{text-transform:uppercase}
.facts small{display:block;color:var(--muted);margin-top:.15rem}
.flag{margin:1.4rem 0 0;padding:.6rem 1rem;border-left:3px solid var(--attacked);background:var(--tint);font-size:.9rem}
svg{display:block;max-width:100%;height:auto}
.fall{margin-top:1.8rem}
.narrow{display:none}
.scroll{overflow-x:auto;max-width:100%;background:linear-gradient(90deg,transparent,var(--paper) 60%) calc(100% + 2px) 0/calc(2.6rem + 2px) 100% no-repeat local,linear-gradient(90deg,transparent,var(--edge)) 100% 0/1.1rem 100% no-repeat scroll}
table{border-collapse:separate;border-spacing:0;font-size:.86rem;width:100%;border-top:2px solid var(--ink);border-bottom:2px solid var(--ink)}
caption>span{display:block;position:sticky;left:0;max-width:min(62em,100vw - 32px)}
caption{caption-side:top;text-align:left;padding-bottom:.6rem}
th{font-weight:600;text-align:left}
td,th{padding:.55rem .6rem;vertical-align:top}
thead th{vertical-align:bottom;padding-block:.4rem;font-size:.8rem;border-bottom:1px solid var(--ink)}
tbody tr+tr>*{border-top:1px solid var(--rule)}
td{font-variant-numeric:tabular-nums}
thead button{font:inherit;font-weight:600;border:0;border-radius:3px;padding:0;text-align:inherit}
thead button::after{content:"↕";color:var(--muted);opacity:.55;margin-left:.25em;font-weight:400}
[aria-sort=descending] button::after{content:"↓";opacity:1;color:inherit}
[aria-sort=ascending] button::after{content:"↑";opacity:1;color:inherit}
.grouped td,.grouped th{padding-inline:.45rem 0}
.grouped tr>:last-child:not(.group){padding-left:.8rem}
.grouped .group{border-bottom:0;padding-left:1.1rem;background:linear-gradient(var(--ink),var(--ink)) 1.1rem 100%/calc(100% - 1.1rem) 1px no-repeat}
.grouped .start{padding-left:1.1rem}
.grouped td{font-size:.93rem}
.headline td .number{display:block;line-height:1.3}
.headline td .bar{max-width:none;margin:.25rem 0 .2rem}
.headline td small{display:block;font-size:.7rem;color:var(--muted);white-space:nowrap}
.headline td.worst .number{font-weight:700}
.headline td.fallen .number{color:var(--attacked)}
.grouped .name{padding-left:0;min-width:7.6rem}
.grouped tbody .name{font-size:.98rem}
.grouped .name small{display:block;color:var(--muted);margin-top:.15rem}
.headline{width:auto;min-width:min(100%,460px)}
.headline.broad{width:100%}
.absent{color:var(--muted)}
.architectures .idea{min-width:13rem;padding-left:1rem;font-size:.82rem;line-height:1.4;text-wrap:pretty}
.plain td,.plain th{padding:.32rem .7rem}
.plain tbody th{font-weight:400}
.plain tr>:first-child{padding-left:0}
.plain tr>:last-child{padding-right:0}
.figure{text-align:right;white-space:nowrap}
.certified td small{display:block;font-size:.7rem;color:var(--muted)}
.transfer{width:auto;margin-bottom:1.6rem}
.transfer small{display:block;font-size:.7rem;color:inherit;white-space:nowrap}
.transfer td .number{font-size:.95rem}
.transfer tr>:last-child{padding-right:.7rem}
${SHADES}
td.prose{min-width:16rem}
.trainings td:nth-child(2),.trainings td:nth-child(5){min-width:10rem}
.trainings small{color:var(--muted)}
.verdict{white-space:nowrap;font-weight:600}
.verdict.fail,.verdict.warn{color:var(--attacked)}
.verdict.pass{color:var(--good)}
.verdict.not-run{color:var(--muted)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem 1.8rem;padding:0;margin:0 0 1.2rem;font-size:.86rem}
.legend li{min-width:0;overflow-wrap:anywhere;display:flex;align-items:center;gap:.5em}
.legend svg{flex:none}
.scroll+figure,figure+.scroll{margin-top:1.6rem}
.legend span{color:var(--muted)}
.panels,.gallery{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1.6rem 2.4rem}
.panel svg{width:100%}
.panel-title{margin:0 0 .2rem;font-size:.92rem;color:var(--muted)}
.panel-title b{color:var(--ink)}
.flips-words{margin:0 0 .5rem;font-size:.82rem;color:var(--muted)}
.top-flips{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1.4rem;margin:.5rem 0 0;padding:0;font-size:.82rem}
details{margin-top:1.2rem;font-size:.86rem}
summary{cursor:pointer;width:fit-content;color:var(--link)}
details>*+*{margin-top:1rem}
.equation{display:grid;grid-template-columns:minmax(0,1fr) 1.1rem minmax(0,1fr) 1.1rem minmax(0,1fr);gap:.35rem .3rem;align-items:start;font-size:.84rem}
.shelf{position:absolute}
.picture{grid-row:1;width:100%;height:auto;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;display:block;border-radius:2px;box-shadow:0 0 0 1px var(--rule)}
.operator{grid-row:1;align-self:center;text-align:center;color:var(--muted);font-size:1.05rem}
.under{grid-row:2;margin:0;text-align:center;overflow-wrap:anywhere}
.under.middle{color:var(--muted)}
.picture.clean,.equation>.under:nth-of-type(1){grid-column:1}
.picture.perturbation,.equation>.under:nth-of-type(2),.equation .verdict{grid-column:3}
.picture.adversarial,.equation>.under:nth-of-type(3){grid-column:5}
.equation .verdict{grid-row:3;margin:0;text-align:center;white-space:normal;font-weight:400;color:var(--muted);font-size:.78rem;line-height:1.4;align-self:center}
.tops{grid-row:3;list-style:none;margin:0;padding:0;font-size:.72rem;line-height:1.45;color:var(--muted);min-width:0}
.tops:first-of-type{grid-column:1}
.tops:last-of-type{grid-column:5}
.tops li{display:grid;grid-template-columns:minmax(1.2em,auto) 1fr auto;gap:.4em;align-items:center}
.tops .class{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;max-width:7em}
.tops .number{min-width:3.3em;text-align:right}
.tops svg{width:100%;height:5px;background:var(--tint)}
.tops rect{fill:var(--muted)}
.tops .truth{color:var(--ink)}
.tops .truth .class{font-weight:700;text-decoration:underline;text-underline-offset:.15em}
.tops .truth rect{fill:var(--ink)}
.example figcaption{font-size:.75rem;margin-top:.4rem;overflow-wrap:anywhere}
.gallery.photographs{grid-template-columns:minmax(0,58rem);gap:2.8rem}
.photographs .equation{grid-template-columns:minmax(0,1fr) 2.2rem minmax(0,1fr) 2.2rem minmax(0,1fr);row-gap:.6rem;font-size:.9rem}
.photographs .picture{border-radius:4px}
.photographs .picture:not(.perturbation){image-rendering:auto}
.photographs .operator{font-size:1.7rem;color:var(--ink)}
.photographs .under{line-height:1.35;text-wrap:balance}
.photographs .under b{display:block;font-family:Charter,"Bitstream Charter",Cambria,Georgia,"Liberation Serif",serif;font-size:1.18rem;font-weight:600}
.photographs .under.middle{padding-top:.15rem}
.photographs .equation .verdict{font-size:.82rem;align-self:start;margin-top:.25rem}
.photographs .tops{font-size:.78rem;line-height:1.6}
.photographs .tops li{grid-template-columns:minmax(0,10.5em) minmax(1.5em,1fr) 4.5em}
.photographs .tops .class{max-width:none}
.photographs figcaption{margin-top:.7rem}
.aside{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:.3rem 2.4rem;margin:0 0 1rem;font-size:.86rem;line-height:1.45}
.pairs div{display:grid;grid-template-columns:9.5rem 1fr;gap:.8rem;padding:.28rem 0;border-bottom:1px solid var(--rule)}
.pairs dt{color:var(--muted);overflow-wrap:anywhere}
.pairs dd{margin:0;overflow-wrap:anywhere;min-width:0}
details+.methods{margin-top:1.4rem}
.methods{padding-left:1.1em;font-size:.9rem;margin:0 0 1rem}
.aside-text{color:var(--muted)}
.save{display:block;width:fit-content;margin:.1rem 0 0 auto;font-size:.7rem;color:var(--muted)}
.save::before{content:"SVG"}
.downloads{font-size:.86rem;display:flex;flex-wrap:wrap;align-items:baseline;gap:.5rem .6rem}
.downloads a{padding:.25rem .8rem;border:1px solid var(--rule);border-radius:6px;text-decoration:none}
.downloads a:hover{background:var(--tint)}
.runs{list-style:none;padding:0;margin:2rem 0 0;border-top:2px solid var(--ink)}
.runs li{padding:1.1rem 0;border-bottom:1px solid var(--rule)}
.runs p{margin:0;max-width:none}
.runs .what{font-size:1.12rem;line-height:1.4;margin:.15rem 0 .3rem;max-width:48em}
.runs .what a{color:inherit;text-decoration-color:var(--muted)}
.runs .what .interval{font-size:.75em}
.runs .when,.runs .how{font-size:.8rem;color:var(--muted)}
@media (max-width:1000px){
  .grouped td,.grouped th{padding-inline:.55rem 0}
}
@media (max-width:640px){
  h3>span{display:block}
  body{font-size:16px}
  main>section{margin-top:3rem}
  .wide{display:none}
  .narrow{display:block}
  .panels,.gallery{grid-template-columns:minmax(0,1fr)}
  .photographs .equation{grid-template-columns:minmax(0,1fr) .9rem minmax(0,1fr) .9rem minmax(0,1fr);gap:.4rem .15rem}
  .photographs .operator{font-size:1.05rem}
  .photographs .under b{font-size:.95rem;line-height:1.25}
  .photographs .tops{font-size:.69rem;line-height:1.4}
  .photographs .tops li{grid-template-columns:minmax(0,1fr) auto;gap:0 .3em;margin-bottom:.3rem}
  .photographs .tops .class{grid-column:1/-1}
  .photographs .tops .number{min-width:3.5em}
  .facts{grid-template-columns:1fr 1fr}
  .facts div:last-child:nth-child(odd){grid-column:1/-1}
  .facts small{overflow-wrap:normal}
  .grouped .name{position:sticky;left:0;background:var(--paper);z-index:1;min-width:6.6rem}
  .grouped tbody .name{box-shadow:6px 0 6px -6px var(--shade)}
  .pairs div{grid-template-columns:7rem 1fr}
  .checks,.checks caption,.checks tbody{display:block}
  .checks{border-top:0}
  .checks thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
  .checks tbody{border-top:2px solid var(--ink)}
  .checks tr{display:grid;grid-template-columns:minmax(5rem,auto) minmax(0,1fr);gap:.2rem .7rem;padding:.55rem 0}
  .checks tr+tr{border-top:1px solid var(--rule)}
  .checks tr>*{border:0;padding:0}
  .checks tbody th{font-weight:600}
  .checks .prose{grid-area:2/1/3/-1}
  .checks .figure{grid-row:3;font-size:.75rem;text-align:left;color:var(--muted)}
  .checks .figure::before{content:"Value "}
  .checks .figure+.figure::before{content:"Threshold "}
}
@media print{
  @page{margin:16mm 14mm}
  body{max-width:none;padding:0;font-size:10.5pt}
  .masthead button,.downloads,.save,details:not([open])>summary{display:none}
  .scroll{overflow:visible;background:none}
  main>section{margin-top:2rem}
  h2,h2+p,h2+p+p,.legend,h3,.panel-title,caption,thead{break-after:avoid}
  h2+p,h2+p+p{break-inside:avoid}
  thead button{display:contents}
  tr,.panel,.example,.fall,.facts div,.legend{break-inside:avoid}
  .panels,.gallery,.pairs{grid-template-columns:repeat(2,minmax(0,1fr))}
  .grouped td,.grouped th{padding-inline:.25rem 0;font-size:8pt}
  .grouped .name{min-width:5.5rem}
  .architectures .idea{font-size:7.5pt;min-width:6rem;padding-left:.6rem}
  .headline .bar,thead button::after{display:none}
  .headline td small,.grouped .name small{font-size:6.5pt}
  .grouped .start,.grouped .group{padding-left:.7rem;background-position-x:.7rem}
  .picture{box-shadow:none;border:1px solid var(--rule)}
  a{color:inherit;text-decoration:none}
}
`;
