// Reads a JSON list of diagrams from standard input and prints what Mermaid's own parser finds in each: its type and
// its texts as a reader would see them, or the error. The first argument is the folder where npm has installed it.
import path from "node:path";
import { pathToFileURL } from "node:url";

const modules = path.resolve(process.argv[2], "node_modules");
const load = (file) => import(pathToFileURL(path.join(modules, file)));

// Mermaid cleans labels with a library that wants a browser's document.
const { JSDOM } = (await load("jsdom/lib/api.js")).default;
globalThis.window = new JSDOM("").window;
globalThis.document = globalThis.window.document;
const mermaid = (await load("mermaid/dist/mermaid.core.mjs")).default;

// While it parses, Mermaid writes #39; as ﬂ°°39¶ß, and puts the character in its place when it draws.
const decoded = (text) => text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCharCode(code)).replace(/<br\/?>/g, "\n");

const texts = {
  "flowchart-v2": (db) => [...db.getVertices().values()].filter((node) => !db.getSubGraphs().some((g) => g.id === node.id))
    .map((node) => node.text).concat(db.getSubGraphs().map((graph) => graph.title)),
  sequence: (db) => [...db.getActors().values()].map((actor) => actor.description)
    .concat(db.getMessages().map((message) => message.message).filter((message) => typeof message === "string")),
};

async function look(source) {
  try {
    const { diagramType } = await mermaid.parse(source);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(source);
    return { type: diagramType, texts: texts[diagramType](db).map(decoded) };
  } catch (error) {
    return { error: String(error.message ?? error) };
  }
}

let input = "";
for await (const chunk of process.stdin) input += chunk;
const found = [];
for (const source of JSON.parse(input)) found.push(await look(source));
console.log(JSON.stringify(found));
