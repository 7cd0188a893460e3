"""What somebody did at one door stands in the audit at the other, from all logs."""

from uuid import uuid4

from tests.integration.identity.running import RunningIdentity, somebody


def test_an_upload_and_a_login_stand_in_one_list(identity: RunningIdentity) -> None:
    who = identity.somebody()
    request_id = str(uuid4())
    upload = {"file_name": "harbour.jpg", "content_type": "image/jpeg", "size": 1000}
    granted = identity.clients[0].post(
        "/v1/uploads/presign", json=upload, headers={**who.headers, "X-Request-Id": request_id}
    )
    assert granted.status_code == 201, granted.text
    login = identity.log_in(who.email, 1)
    again = somebody(login)
    after = {"Darkroom-Position": granted.headers["Darkroom-Position"]}
    path, told = f"/v1/auth/activity?limit=1&after={login.headers['Darkroom-Position']}", []
    while path:
        page = identity.clients[1].get(path, headers={**again.headers, **after})
        assert page.status_code == 200, page.text
        assert "harbour" not in page.text
        told += page.json()["items"]
        path = page.links.get("next", {}).get("url", "")
    by_action = {entry["action"]: entry for entry in told}
    assert [entry["action"] for entry in told[:2]] == ["SessionStarted", "UploadRequested"]
    assert len(told) == 4
    assert by_action["UploadRequested"]["subject"] == granted.json()["asset_id"]
    assert by_action["UploadRequested"]["request_id"] == request_id
    assert {entry["owner"] for entry in told} == {str(who.user_id)}

    assert identity.ops("users", "promote", who.email).returncode == 0
    root = somebody(identity.log_in(who.email))
    asked = f"/v1/audit?subject={granted.json()['asset_id']}"
    (entry,) = identity.clients[0].get(asked, headers=root.headers).json()["items"]
    assert entry == by_action["UploadRequested"]

    resumed = identity.clients[0].post("/v1/workers/variants/resume", headers=root.headers)
    assert resumed.status_code == 202, resumed.text
    position = resumed.headers["Darkroom-Position"]
    asked = f"/v1/audit?action=WorkersResumed&actor={root.user_id}&after={position}"
    (entry,) = identity.clients[1].get(asked, headers=root.headers).json()["items"]
    assert (entry["position"], entry["changed"]) == (position, {"component": "variants"})
