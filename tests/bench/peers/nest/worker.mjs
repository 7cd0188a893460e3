// The doors that the api benchmark measures, as one writes them in NestJS on Express: the same checks, the same
// database, store and broker. Decorators are applied by hand, so that no build step stands between.
import 'reflect-metadata';
import { createCipheriv, createHash, randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import {
  Body, Controller, Get, HttpCode, Module, NotFoundException, Param, ParseUUIDPipe, Post, Req,
  UnauthorizedException, UseGuards, ValidationPipe,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import argon2 from '@node-rs/argon2';
import avsc from 'avsc';
import { IsArray, IsEmail, IsIn, IsInt, IsOptional, IsString, Length, Matches, Max, MaxLength, Min } from 'class-validator';
import jwt from 'jsonwebtoken';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';

const env = process.env;
const version = createRequire(import.meta.url)('@nestjs/core/package.json').version;
// argon2id (2), as we hash: 19 MiB, two passes, one lane.
const ARGON = { algorithm: 2, memoryCost: 19456, timeCost: 2, parallelism: 1 };
const ACCESS = { algorithm: 'HS256', expiresIn: '15m', issuer: 'peer', audience: 'peer' };
const TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif'];

const pool = new pg.Pool({ connectionString: env.DATABASE_URL, max: 10 });
const store = new S3Client({
  endpoint: env.S3_ENDPOINT, region: env.S3_REGION ?? 'us-east-1', forcePathStyle: true,
  credentials: { accessKeyId: env.S3_ACCESS_KEY, secretAccessKey: env.S3_SECRET_KEY },
});
const producer = new Kafka({ brokers: env.KAFKA_BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR })
  .producer({ idempotent: true, maxInFlightRequests: 5, allowAutoTopicCreation: false });
const dataKey = createHash('sha256').update('peer').digest();
const event = avsc.Type.forSchema({
  type: 'record', name: 'Said', fields: [
    { name: 'event_id', type: 'string' }, { name: 'occurred_at', type: 'long' }, { name: 'asset_id', type: 'string' },
    { name: 'owner_id', type: 'string' }, { name: 'object_key', type: 'string' }, { name: 'content_type', type: 'string' },
    { name: 'declared_size', type: 'long' }, { name: 'sealed_words', type: 'bytes' }],
});

function decorate(target, name, method, parameters = []) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  for (const each of method) each(target.prototype, name, descriptor);
  parameters.forEach((each, index) => each(target.prototype, name, index));
  return target;
}

function fields(target, rules) {
  for (const [name, checks] of Object.entries(rules)) for (const check of checks) check(target.prototype, name);
}

function typed(target, name, types) {
  Reflect.defineMetadata('design:paramtypes', types, target.prototype, name);
}

async function append(key, said) {
  const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), event.toBuffer(said)]);
  const headers = { ce_id: said.event_id, ce_type: 'peer.Said', ce_source: '/peer', ce_specversion: '1.0' };
  await producer.send({ topic: env.PEER_TOPIC, acks: -1, messages: [{ key, value, headers }] });
}

function sealed(words) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce);
  return Buffer.concat([nonce, cipher.update(JSON.stringify(words)), cipher.final(), cipher.getAuthTag()]);
}

function record(owner, assetId, key, type, size, words) {
  return {
    event_id: randomUUID(), occurred_at: Date.now() * 1000, asset_id: assetId, owner_id: owner, object_key: key,
    content_type: type, declared_size: size, sealed_words: sealed(words),
  };
}

class Guard {
  canActivate(context) {
    const request = context.switchToHttp().getRequest();
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    try {
      if (scheme !== 'Bearer') throw new Error('no bearer');
      const { algorithm, issuer, audience } = ACCESS;
      request.user = jwt.verify(token, env.PEER_SECRET, { algorithms: [algorithm], issuer, audience });
    } catch {
      throw new UnauthorizedException();
    }
    return true;
  }
}

class LogIn {}
fields(LogIn, { email: [IsEmail(), MaxLength(254)], password: [IsString(), Length(8, 256)] });

class Presign {}
fields(Presign, {
  file_name: [IsString(), Length(1, 255)], content_type: [IsIn(TYPES)], size: [IsInt(), Min(1), Max(64_000_000)],
  sha256: [IsOptional(), Matches(/^[0-9a-fA-F]{64}$/)], title: [IsOptional(), IsString(), MaxLength(200)],
  description: [IsOptional(), IsString(), MaxLength(5000)], tags: [IsOptional(), IsArray(), IsString({ each: true })],
});

class Doors {
  async logIn(body) {
    const { rows } = await pool.query('select user_id, password_hash from peer_users where email = $1', [body.email.toLowerCase()]);
    if (!rows.length || !(await argon2.verify(rows[0].password_hash, body.password))) throw new UnauthorizedException();
    const [user, session] = [rows[0].user_id, randomUUID()];
    await append(user, record(user, session, 'session', 'session', 0, {}));
    const refresh = jwt.sign({ sub: user, sid: session, generation: 0 }, env.PEER_SECRET, { ...ACCESS, expiresIn: '7d' });
    return { user_id: user, access_token: jwt.sign({ sub: user, sid: session, role: 'user' }, env.PEER_SECRET, ACCESS), refresh_token: refresh, expires_in: 900 };
  }

  async me(request) {
    const { rows } = await pool.query('select user_id, email from peer_users where user_id = $1', [request.user.sub]);
    if (!rows.length) throw new UnauthorizedException();
    return { ...rows[0], role: request.user.role };
  }

  async asset(request, id) {
    const { rows } = await pool.query('select * from live.assets where asset_id = $1 and owner_id = $2', [id, request.user.sub]);
    if (!rows.length) throw new NotFoundException();
    const row = rows[0];
    const all = [...row.variants, { name: 'original', object_key: row.original_key, content_type: row.content_type, size: Number(row.size), width: row.width, height: row.height }];
    const urls = await Promise.all(all.map((one) => getSignedUrl(
      store, new GetObjectCommand({ Bucket: env.S3_BUCKET, Key: one.object_key, ResponseContentType: one.content_type }), { expiresIn: 7200 })));
    const variants = Object.fromEntries(all.map(({ name, object_key, ...one }, index) => [name, { url: urls[index], ...one }]));
    return {
      id: row.asset_id, status: row.status, title: row.title, description: row.description, tags: row.tags, file_name: row.file_name,
      content_type: row.content_type, size: Number(row.size), uploaded_at: row.uploaded_at, processed_at: row.processed_at,
      taken_at: row.taken_at, camera: row.camera, thumbhash: row.thumbhash, variants, job_id: row.job_id,
      error: row.error_kind && { kind: row.error_kind, code: row.error_code }, deleted_at: row.deleted_at, version: Number(row.version),
    };
  }

  async presign(request, body) {
    const [upload, asset] = [randomUUID(), randomUUID()];
    const key = `incoming/${upload}/${randomBytes(16).toString('hex')}`;
    const { content_type: type, size, ...words } = body;
    await append(asset, record(request.user.sub, asset, key, type, size, words));
    const form = await createPresignedPost(store, {
      Bucket: env.S3_BUCKET, Key: key, Expires: 900, Fields: { 'Content-Type': type },
      Conditions: [['content-length-range', size, size], ['eq', '$Content-Type', type]],
    });
    return { upload_id: upload, asset_id: asset, method: 'POST', ...form, expires_at: new Date(Date.now() + 900_000) };
  }
}
typed(Doors, 'logIn', [LogIn]);
typed(Doors, 'presign', [Object, Presign]);
decorate(Doors, 'logIn', [Post('auth/login'), HttpCode(200)], [Body()]);
decorate(Doors, 'me', [Get('auth/me'), UseGuards(Guard)], [Req()]);
decorate(Doors, 'asset', [Get('assets/:id'), UseGuards(Guard)], [Req(), Param('id', ParseUUIDPipe)]);
decorate(Doors, 'presign', [Post('uploads/presign'), UseGuards(Guard)], [Req(), Body()]);
Controller('v1')(Doors);

class Peer {}
Module({ controllers: [Doors] })(Peer);

await producer.connect();
await pool.query('create table if not exists peer_users (email text primary key, user_id uuid not null unique, password_hash text not null)');
for (const [email, user, password] of JSON.parse(env.PEER_ACCOUNTS)) {
  await pool.query('insert into peer_users values ($1, $2, $3)', [email, user, await argon2.hash(password, ARGON)]);
}
const app = await NestFactory.create(Peer, { logger: ['error'] });
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address();
process.stdout.write(JSON.stringify({ ready: `http://127.0.0.1:${port}`, version: `NestJS ${version}, Node ${process.version}` }) + '\n');
process.stdin.resume();
process.stdin.on('end', async () => {
  await app.close();
  await Promise.all([producer.disconnect(), pool.end()]);
});
