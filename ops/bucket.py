"""`python -m ops bucket create`: the bucket that the settings name, in a store that somebody else started."""

import json

import typer
from botocore.exceptions import BotoCoreError, ClientError

from adapters.object_store.control import client_of
from adapters.settings import StoreSettings, settings_or_exit
from ops.waiting import WRONG, Json, Wait, leave, patiently

app = typer.Typer(no_args_is_help=True, help="The bucket of originals and variants.")

_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


class StoreSilent(Exception):
    """The store can't be reached."""


@app.callback()
def bucket() -> None:
    """The bucket of originals and variants."""


@app.command()
def create(wait: Wait = 60.0, as_data: Json = False) -> None:
    """Create the bucket, unless it is there. Exit code: 0, 1 store not reached, or 3 where it refuses."""
    store = settings_or_exit().store
    try:
        made = patiently(
            lambda: create_bucket(store), StoreSilent, what=f"the store at {store.endpoint}", seconds=wait
        )
    except ClientError as error:
        leave(f"The store refuses to create the bucket {store.bucket}: {error}.", code=WRONG)
    if as_data:
        typer.echo(json.dumps({"bucket": store.bucket, "created": made}))
    else:
        typer.echo(f"Bucket {store.bucket}: {'created' if made else 'it was there'}.")


def create_bucket(store: StoreSettings) -> bool:
    """Whether the bucket had to be created; StoreSilent when nobody answers, ClientError for a refusal."""
    client = client_of(store, attempts=1)  # the caller is patient, and says so
    try:
        client.create_bucket(Bucket=store.bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _THERE:
            raise
        return False
    except BotoCoreError as error:
        raise StoreSilent(str(error)) from error
    finally:
        client.close()
    return True


if __name__ == "__main__":
    app()
