// Reads a JSON list of OTLP requests, {path, body}, from standard input and prints for each what is wrong with it by the
// proto that OpenTelemetry publishes: a list of texts. The first argument is the folder where npm has installed it.
//
// Strict: what does not come back from the messages just as it was written (a field that there is not, an enum as a
// text, a 64-bit integer as a number) is wrong.
import { createRequire } from "node:module";
import path from "node:path";

const modules = path.resolve(process.argv[2], "node_modules");
const require = createRequire(path.join(modules, "index.js"));
const root = require("./@opentelemetry/otlp-transformer/build/src/generated/root.js").opentelemetry.proto.collector;

const requests = {
  "/v1/traces": root.trace.v1.ExportTraceServiceRequest,
  "/v1/metrics": root.metrics.v1.ExportMetricsServiceRequest,
};

// OTLP's JSON has ids in hexadecimal, where proto3's has bytes in base64.
const idBytes = { traceId: 16, spanId: 8, parentSpanId: 8 };
const isId = (key, text) => new RegExp(`^[0-9a-f]{${2 * idBytes[key]}}$`).test(text) && /[^0]/.test(text);

const toProto = (value, key) => {
  if (key in idBytes) return Buffer.from(value, "hex").toString("base64");
  if (Array.isArray(value)) return value.map((item) => toProto(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toProto(item, name)]));
};

function compare(written, read, place, key, faults) {
  if (key in idBytes && !isId(key, written)) faults.push(`${place}: ${written} is no id`);
  if (key in idBytes) read = Buffer.from(read, "base64").toString("hex");
  if (typeof written !== "object" || written === null) {
    if (written !== read) faults.push(`${place}: ${JSON.stringify(written)} is read as ${JSON.stringify(read)}`);
    return;
  }
  for (const [name, item] of Object.entries(written)) {
    if (read === undefined || !(name in Object(read))) faults.push(`${place}.${name}: there is no such field`);
    else compare(item, read[name], `${place}.${name}`, name, faults);
  }
}

function look({ path: target, body }) {
  const faults = [];
  try {
    const Request = requests[target];
    const message = Request.fromObject(toProto(body));
    const problem = Request.verify(message);
    if (problem) faults.push(problem);
    const decoded = Request.decode(Request.encode(message).finish());
    const plain = Request.toObject(decoded, { longs: String, enums: Number, bytes: String, arrays: true, objects: true });
    compare(body, plain, target, undefined, faults);
  } catch (error) {
    faults.push(String(error.message ?? error));
  }
  return faults;
}

let input = "";
for await (const chunk of process.stdin) input += chunk;
console.log(JSON.stringify(JSON.parse(input).map(look)));
