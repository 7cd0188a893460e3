#!/usr/bin/env bash
# A whole way through the doors with curl: bash client.sh photo.jpg large.jpg
# Needs bash, curl (7.82 or later) and jq, and in the environment DARKROOM_URL, EMAIL and PASSWORD.
set -euo pipefail
photo=$1 large=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
password=$(jq -n --arg email "$EMAIL" --arg password "$PASSWORD" '$ARGS.named')

# --- a token; secrets go in by files, so that no process list shows them ---
curl -sS --json @- "$DARKROOM_URL/v1/auth/register" <<< "$password" > "$work/tokens"
if jq -e '.type == "/problems/address-taken"' "$work/tokens" > "$work/taken"; then
    curl -sS --fail-with-body --json @- "$DARKROOM_URL/v1/auth/login" <<< "$password" > "$work/tokens"
fi
jq -r '"Authorization: Bearer \(.access_token)"' "$work/tokens" > "$work/header"

# Repeats what answers 429 or 503, after Retry-After, for two minutes at most; anything else that is refused ends here.
ask() { curl -sS --fail-with-body --retry 20 --retry-max-time 120 -H "@$work/header" "$@"; }
# A write: its key makes every repetition one and the same; its position goes to $work/position.
write() {
    ask -H "Idempotency-Key: $(uuidgen 2> /dev/null || cat /proc/sys/kernel/random/uuid)" -D "$work/head" "$@"
    sed -n 's/^darkroom-position: //Ip' "$work/head" | tr -d '\r' > "$work/position"
}

# --- live: until the asset is ready, come what may. A page's cookie opens the stream, and nothing else ---
heard() {
    local asset=$1 last=$2 ready="" line data pid
    ask -X POST -c "$work/cookies" "$DARKROOM_URL/v1/notifications/session"
    for _ in {1..20}; do
        exec {stream}< <(exec curl -sSN --max-time 60 -b "$work/cookies" \
            "$DARKROOM_URL/v1/notifications/stream?after=$last")
        pid=$!
        while [[ -z $ready ]] && IFS= read -r line <&"$stream"; do
            case $line in
                "id: "*) last=${line#id: } ;; # all up to here was heard: come back with it
                "data: "*)
                    data=${line#data: }
                    case $(jq -r --arg asset "$asset" '"\(.type) \(.asset_id == $asset)"' <<< "$data") in
                        "asset.ready true") ready=yes ;;
                        "asset.failed true") echo "failed: $data" >&2 && exit 1 ;;
                        "reset "*) # too much was missed to be told: look
                            [[ $(ask "$DARKROOM_URL/v1/assets/$asset/status" | jq -r .status) != ready ]] || ready=yes ;;
                        "reconnect "*) break ;;
                    esac ;;
            esac
        done
        kill "$pid" 2> "$work/ended-already" || true
        exec {stream}<&-
        [[ -z $ready ]] || return 0
        sleep 1
    done
    echo "not ready: $asset" >&2 && exit 1
}

# --- in, by a form ---
accepted=$(write -F "file=@$photo;type=image/jpeg" -F title=Harbour -F tags='sea, boats' "$DARKROOM_URL/v1/uploads")
id=$(jq -r .asset_id <<< "$accepted")
heard "$id" "$(< "$work/position")"
asset=$DARKROOM_URL/v1/assets/$id
echo "by form: $(ask "$asset" | jq -rc '[.status, (.variants | keys[])]')"

# --- in, by presign: ask, send to the store, say that it is sent ---
declared() { jq -n --arg file_name "$(basename "$1")" --argjson size "$(wc -c < "$1")" '{content_type: "image/jpeg"} + $ARGS.named'; }
granted=$(write --json "$(declared "$photo")" "$DARKROOM_URL/v1/uploads/presign")
fields=()
while IFS= read -r field; do fields+=(--form-string "$field"); done \
    < <(jq -r '.fields | to_entries[] | "\(.key)=\(.value)"' <<< "$granted")
curl -sS --fail-with-body "${fields[@]}" -F "file=@$photo" "$(jq -r .url <<< "$granted")"
again=$(write --json "$(jq '{upload_token}' <<< "$granted")" "$DARKROOM_URL/v1/uploads/complete")
echo "the same bytes by presign: duplicate: $(jq .duplicate <<< "$again")"

# --- in, in parts, with a cut in the middle ---
write --json "$(declared "$large")" "$DARKROOM_URL/v1/uploads/multipart" > "$work/multipart"
upload=$DARKROOM_URL/v1/uploads/$(jq -r .upload_id "$work/multipart")
jq -r '"Upload-Token: \(.upload_token)"' "$work/multipart" > "$work/upload-token"
part_size=$(jq .part_size "$work/multipart")
send_parts() { # reads lines of number, size and address
    while read -r number size url; do
        tail -c "+$(((number - 1) * part_size + 1))" "$large" | head -c "$size" > "$work/part" || true
        curl -sS --fail-with-body -T "$work/part" "$url"
    done
}
jq -r '.parts[0] | "\(.number) \(.size) \(.url)"' "$work/multipart" | send_parts
# Here the line is cut. The token and the upload's id are enough to go on, tomorrow and elsewhere:
parts=$(ask -H "@$work/upload-token" "$upload/parts")
echo "arrived: $(jq '.arrived | length' <<< "$parts") of $(jq .part_count <<< "$parts") parts"
until [[ $(jq '.missing | length' <<< "$parts") == 0 ]]; do
    ask -H "@$work/upload-token" --json "$(jq '{parts: .missing[:100]}' <<< "$parts")" "$upload/parts" \
        | jq -r '.parts[] | "\(.number) \(.size) \(.url)"' | send_parts
    parts=$(ask -H "@$work/upload-token" "$upload/parts")
done
accepted=$(write --json "$(jq '{upload_token}' "$work/multipart")" "$DARKROOM_URL/v1/uploads/complete?duplicate=allow")
heard "$(jq -r .asset_id <<< "$accepted")" "$(< "$work/position")"
echo "in parts: ready"

# --- out ---
ask -L -o "$work/small.jpg" "$asset/variants/small"
ask -L -o "$work/original.jpg" "$asset/download"
cmp "$photo" "$work/original.jpg" && echo "original: as it was"

# --- edit: only as it was read ---
etag=$(ask -D - -o "$work/seen" "$asset" | sed -n 's/^etag: //Ip' | tr -d '\r')
write -X PATCH --json '{"title": "Harbour at noon"}' -H "If-Match: $etag" "$asset" > "$work/changed"
lost=$(curl -sS -H "@$work/header" -X PATCH --json '{"title": "Another"}' -H "If-Match: $etag" "$asset")
echo "a second edit of the same version: $(jq -r .type <<< "$lost")"
echo "titled: $(ask "$asset?after=$(< "$work/position")" | jq -r .title)"

# --- into the trash and out of it ---
write -X DELETE "$asset"
echo "in the trash: $(ask "$DARKROOM_URL/v1/assets?deleted=true&after=$(< "$work/position")" | jq '.items | length')"
write -X POST "$asset/restore" > "$work/restored"

# --- share by a link, for a day; and no longer ---
expires=$(jq -n 'now + 86400 | todate')
link=$(write --json "{\"variant\": \"small\", \"expires_at\": $expires}" "$asset/links")
shared=$(jq -r .url <<< "$link")
[[ $shared == http* ]] || shared=$DARKROOM_URL$shared
curl -sSL --fail-with-body -o "$work/shared.jpg" "$shared"
cmp "$work/small.jpg" "$work/shared.jpg" && echo "shared: the same picture"
write -X DELETE "$asset/links/$(jq -r .id <<< "$link")"
ask "$asset/links?after=$(< "$work/position")" > "$work/links" # the doors have heard of it
echo "revoked: $(curl -sS -o "$work/gone" -w '%{http_code}' "$shared")"

# --- have everything made again, and look how far that is ---
run=$(write --json '{"kind": "regenerate"}' "$DARKROOM_URL/v1/runs" | jq -r .status_url)
for _ in {1..400}; do
    state=$(ask "$DARKROOM_URL$run")
    [[ $(jq .ended_at <<< "$state") == null ]] || break
    sleep 0.3
done
echo "run: $(jq -r '"\(.status) \(.counts.completed)"' <<< "$state")"

# --- all that is ready, page by page ---
next="$DARKROOM_URL/v1/assets?status=ready&limit=1"
while [[ -n $next ]]; do
    page=$(ask "$next")
    jq -r '.items[] | "listed: \(.title // .file_name)"' <<< "$page"
    next=$(jq -r --arg list "$DARKROOM_URL/v1/assets?status=ready&limit=1&cursor=" \
        '.next_cursor | if . then $list + @uri else "" end' <<< "$page")
done
