// The peer of the imaging benchmark: `node worker.mjs typical|tuned`, one job a line, as recipe_worker.py.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import sharp from 'sharp';

const SIDES = [
  ['large', 1920],
  ['medium', 1024],
  ['small', 480],
];
const INSIDE = { fit: 'inside', withoutEnlargement: true };
const THUMBNAIL = 150;

// As most people write it: each size from the upload's own bytes, everything else left at its default.
async function typical(data) {
  const { hasAlpha } = await sharp(data).metadata();
  const encoded = (image) => (hasAlpha ? image.webp({ quality: 80 }) : image.jpeg({ quality: 80 }));
  const files = await Promise.all([
    ...SIDES.map(([, side]) => encoded(sharp(data).rotate().resize(side, side, INSIDE)).toBuffer()),
    encoded(sharp(data).rotate().resize(THUMBNAIL, THUMBNAIL)).toBuffer(),
  ]);
  return named(files, hasAlpha);
}

// As whoever measures would: decoded once (shrunk while loading), each size from the one above, profiles ignored,
// no second pass over the Huffman tables, nothing cached between jobs. The fastest that we found.
async function tuned(data) {
  const { hasAlpha } = await sharp(data).metadata();
  const encoded = (image) =>
    (hasAlpha ? image.webp({ quality: 80, effort: 2 }) : image.jpeg({ quality: 80, optimiseCoding: false })).toBuffer();
  const files = [];
  const levels = [];
  for (const [, side] of SIDES) {
    const above = levels.length ? raw(levels.at(-1)) : sharp(data, { ignoreIcc: true }).rotate();
    levels.push(await above.resize(side, side, INSIDE).raw().toBuffer({ resolveWithObject: true }));
    files.push(encoded(raw(levels.at(-1))));
  }
  const covering = levels.findLast(({ info }) => Math.min(info.width, info.height) >= THUMBNAIL) ?? levels[0];
  files.push(encoded(raw(covering).resize(THUMBNAIL, THUMBNAIL)));
  return named(await Promise.all(files), hasAlpha);
}

function raw({ data, info: { width, height, channels } }) {
  return sharp(data, { raw: { width, height, channels } });
}

function named(files, hasAlpha) {
  const names = [...SIDES.map(([name]) => name), 'thumbnail'];
  return files.map((data, at) => ({ name: names[at], format: hasAlpha ? 'webp' : 'jpeg', data }));
}

function cpuMs() {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return (userCPUTime + systemCPUTime) / 1000;
}

async function job(way, { picture, save }) {
  const data = readFileSync(picture);
  const cpu = cpuMs();
  const wall = performance.now();
  const files = await way(data);
  const answer = { cpu_ms: cpuMs() - cpu, wall_ms: performance.now() - wall };
  if (save) {
    mkdirSync(save, { recursive: true });
    for (const { name, format, data } of files) writeFileSync(`${save}/${name}.${format}`, data);
  }
  return { ...answer, variants: files.map(({ name, data }) => ({ name, size: data.length })) };
}

const way = { typical, tuned }[process.argv[2]];
if (way === tuned) sharp.cache(false);
sharp.concurrency(1);
const { sharp: version, vips, mozjpeg } = sharp.versions;
console.log(JSON.stringify({ ready: `sharp ${version}, libvips ${vips}, mozjpeg ${mozjpeg}, node ${process.version}` }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await job(way, JSON.parse(line))));
}
