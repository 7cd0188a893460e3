// A way through the doors, as a page goes it: fetch, FormData, EventSource, and nothing else.

const PATIENCE = 120_000;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** A door said no; `kind` says why, and is what to compare. */
export class Refused extends Error {
  constructor(problem) {
    super(`${problem.type}: ${problem.title} ${JSON.stringify(problem.errors ?? "")}`);
    this.problem = problem;
    this.kind = problem.type.replace("/problems/", "");
  }
}

/** One person's way in: adds the token, renews it, and repeats what may be repeated. */
export class Darkroom {
  constructor(url) {
    this.url = url;
    this.token = null;
  }

  /** Registers; whoever has an account already logs in. */
  async enter(email, password) {
    try {
      await this.begin("/v1/auth/register", { email, password });
    } catch (refused) {
      if (refused.kind !== "address-taken") throw refused;
      await this.begin("/v1/auth/login", { email, password });
    }
  }

  /** The refresh token stays in a cookie that no script sees; the access token in memory, for minutes. */
  async begin(path, json) {
    const answer = await this.call("POST", path, { json, headers: { "Darkroom-Session": "cookie" }, anew: true });
    this.token = answer.body.access_token;
  }

  renew() {
    this.token = null;
    return this.begin("/v1/auth/refresh");
  }

  /** {body, headers} of the answer; throws Refused. A write has a key, so that its repetition takes effect once. */
  async call(method, path, { json, body, headers = {}, anew = false } = {}) {
    const said = { ...headers };
    if (method !== "GET") said["Idempotency-Key"] ??= crypto.randomUUID();
    if (json) said["Content-Type"] = "application/json";
    for (const deadline = Date.now() + PATIENCE; ; ) {
      let answer;
      let wait = 1000;
      if (this.token) said.Authorization = `Bearer ${this.token}`;
      try {
        answer = await fetch(new URL(path, this.url), { method, headers: said, body: json ? JSON.stringify(json) : body });
      } catch (cut) {
        if (Date.now() > deadline) throw cut;
      }
      if (answer?.ok) {
        const text = await answer.text();
        return { body: text ? JSON.parse(text) : null, headers: answer.headers, status: answer.status };
      }
      if (answer) {
        const refused = new Refused(await answer.json());
        wait = 1000 * Number(answer.headers.get("Retry-After") ?? 0);
        if (refused.kind === "unauthenticated" && this.token && !anew) {
          await this.renew();
          anew = true;
        } else if (![429, 503].includes(answer.status) || Date.now() + wait > deadline) throw refused;
      }
      await pause(wait);
    }
  }

  /**
   * Calls `heard` with every entry after a position, and goes on after cuts; gives a function that ends it.
   * `failed` is called when nobody is let in any more.
   */
  listen(after, heard, failed) {
    let source;
    let closed = false;
    const open = async () => {
      // A ticket opens one stream, and stands for no more than that: for each stream a new one.
      const { ticket } = (await this.call("POST", "/v1/notifications/ticket")).body;
      if (closed) return;
      source = new EventSource(new URL(`/v1/notifications/stream?${new URLSearchParams({ ticket, after })}`, this.url));
      source.onmessage = ({ data, lastEventId }) => {
        after = lastEventId;
        heard(JSON.parse(data));
      };
      source.onerror = async () => {
        source.close();
        await pause(1000 + 4000 * Math.random());
        if (!closed) open().catch(failed);
      };
    };
    open().catch(failed);
    return () => {
      closed = true;
      source?.close();
    };
  }

  /** The asset's details, once it is ready. */
  async ready({ body: { asset_id: asset, status, status_url }, headers }) {
    const after = headers.get("Darkroom-Position");
    if (status === "ready") return this.details(asset, after); // a duplicate of what is there
    let end;
    const entry = await new Promise((done, failed) => {
      end = this.listen(after, async (heard) => {
        if (heard.type === "reset") {
          // Too much was missed to be told: look.
          const now = (await this.call("GET", status_url)).body.status;
          if (now === "ready") done({ type: "asset.ready", position: after });
        }
        if (heard.asset_id === asset && ["asset.ready", "asset.failed"].includes(heard.type)) done(heard);
      }, failed);
      setTimeout(() => failed(new Error(`${asset} is not ready`)), PATIENCE).unref?.();
    }).finally(() => end());
    if (entry.type === "asset.failed") throw new Error(`${asset} failed`);
    return this.details(asset, entry.position);
  }

  async details(asset, after) {
    return (await this.call("GET", `/v1/assets/${asset}?${new URLSearchParams({ after })}`)).body;
  }

  /** By a form, in one request; `photo` is a File, as an <input type="file"> gives it. */
  byForm(photo, title) {
    const body = new FormData();
    body.append("title", title);
    body.append("file", photo);
    return this.call("POST", "/v1/uploads", { body });
  }

  /** Straight to the store: the form's fields as they were given, the file last, and no credential. */
  async byPresign(photo) {
    const granted = (await this.call("POST", "/v1/uploads/presign", { json: declared(photo) })).body;
    const body = new FormData();
    for (const [name, value] of Object.entries(granted.fields)) body.append(name, value);
    body.append("file", photo);
    const sent = await fetch(granted.url, { method: granted.method, body });
    if (!sent.ok) throw new Error(`the store answered ${sent.status}`);
    return this.call("POST", "/v1/uploads/complete", { json: { upload_token: granted.upload_token } });
  }

  /** Leave to send in parts. Keep the answer's `upload_id` and `upload_token`, in localStorage for example. */
  async startParts(photo) {
    return (await this.call("POST", "/v1/uploads/multipart", { json: declared(photo) })).body;
  }

  /** Sends what the store has not, however far an earlier page came. */
  async goOn(photo, { upload_id, upload_token }, say = () => {}) {
    const path = `/v1/uploads/${upload_id}/parts`;
    const headers = { "Upload-Token": upload_token };
    for (;;) {
      const { arrived, missing, part_count, part_size } = (await this.call("GET", path, { headers })).body;
      if (missing.length === 0) break;
      say(`${arrived.length} of ${part_count} parts have arrived`);
      const json = { parts: missing.slice(0, 100) };
      for (const part of (await this.call("POST", path, { headers, json })).body.parts) await sendPart(photo, part, part_size);
    }
    return this.call("POST", "/v1/uploads/complete?duplicate=allow", { json: { upload_token } });
  }

  /** A person's edit: `etag` is that of what they saw. Refused as `version-lost` where somebody was faster. */
  edit(asset, words, etag) {
    return this.call("PATCH", `/v1/assets/${asset}`, { json: words, headers: { "If-Match": etag } });
  }

  /** Where the picture can be seen without an account, for a day. */
  async share(asset, variant) {
    const expires_at = new Date(Date.now() + 86_400_000).toISOString();
    const link = (await this.call("POST", `/v1/assets/${asset}/links`, { json: { variant, expires_at } })).body;
    return { ...link, url: new URL(link.url, this.url) };
  }

  /** Has everything made again; calls `told` with how far that is, until it is over. */
  async run(told) {
    const { status_url } = (await this.call("POST", "/v1/runs", { json: { kind: "regenerate" } })).body;
    for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await pause(300)) {
      const run = (await this.call("GET", status_url)).body;
      told(run);
      if (run.ended_at !== null) return run;
    }
    throw new Error("the run is not over");
  }
}

const declared = (photo) => ({ file_name: photo.name, content_type: photo.type, size: photo.size });

export async function sendPart(photo, { number, size, url }, part_size) {
  const start = (number - 1) * part_size;
  const sent = await fetch(url, { method: "PUT", body: photo.slice(start, start + size) });
  if (!sent.ok) throw new Error(`the store answered ${sent.status}`);
}
