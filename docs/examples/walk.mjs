// Walks the whole way with darkroom.mjs, outside of a browser:
//   node --experimental-eventsource walk.mjs photo.jpg large.jpg
// with DARKROOM_URL, EMAIL and PASSWORD in the environment. (Newer versions of node may need no flag.)
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Darkroom, sendPart } from "./darkroom.mjs";

// What a browser does by itself: it keeps the session's cookie, and shows it to the doors it is for.
const plain = globalThis.fetch;
let cookie = "";
globalThis.fetch = async (url, options = {}) => {
  const mine = cookie && new URL(url).pathname.startsWith("/v1/auth");
  const answer = await plain(url, mine ? { ...options, headers: { ...options.headers, Cookie: cookie } } : options);
  cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
  return answer;
};

const chosen = async (path) => new File([await readFile(path)], basename(path), { type: "image/jpeg" });
const [photo, large] = await Promise.all(process.argv.slice(2, 4).map(chosen));
const { DARKROOM_URL, EMAIL, PASSWORD } = process.env;

const darkroom = new Darkroom(DARKROOM_URL);
await darkroom.enter(EMAIL, PASSWORD);
await darkroom.renew();
const asset = await darkroom.ready(await darkroom.byForm(photo, "Harbour"));
console.log("by form:", asset.status, Object.keys(asset.variants).sort().join(" "));
const again = await darkroom.byPresign(photo);
console.log("the same bytes by presign:", again.status, "duplicate:", again.body.duplicate);

const begun = await darkroom.startParts(large);
await sendPart(large, begun.parts[0], begun.part_size);
// Here the line is cut, and the page closed. The next one has nothing but what was kept:
const { upload_id, upload_token } = begun;
const joined = await darkroom.goOn(large, { upload_id, upload_token }, console.log);
console.log("in parts:", (await darkroom.ready(joined)).status);

// In a page: <img src=…> and <a href=…>. These addresses need no header.
const bytes = async (url) => (await (await fetch(url)).arrayBuffer()).byteLength;
console.log("small, bytes:", await bytes(asset.variants.small.url));
console.log("original, bytes:", await bytes(asset.variants.original.url));

const path = `/v1/assets/${asset.id}`;
const etag = (await darkroom.call("GET", path)).headers.get("ETag");
const changed = await darkroom.edit(asset.id, { title: "Harbour at noon" }, etag);
const lost = await darkroom.edit(asset.id, { title: "Another's" }, etag).catch((refused) => refused);
console.log("a second edit of the same version:", lost.kind);
const now = await darkroom.details(asset.id, changed.headers.get("Darkroom-Position"));
console.log("titled:", now.title);

const gone = await darkroom.call("DELETE", path);
const after = gone.headers.get("Darkroom-Position");
const trash = await darkroom.call("GET", `/v1/assets?${new URLSearchParams({ deleted: "true", after })}`);
console.log("in the trash:", trash.body.items.length);
await darkroom.call("POST", `${path}/restore`);

const link = await darkroom.share(asset.id, "small");
console.log("shared, bytes:", await bytes(link.url));
const revoked = await darkroom.call("DELETE", `${path}/links/${link.id}`);
const heard = new URLSearchParams({ after: revoked.headers.get("Darkroom-Position") });
await darkroom.call("GET", `${path}/links?${heard}`); // the doors have heard of it
console.log("revoked:", (await fetch(link.url)).status);

const run = await darkroom.run(() => {});
console.log("run:", run.status, run.counts.completed);
