"""The admin's lists over far more deliveries and deploys than they count."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployhooks.admin.readonly import BoundedPaginator
from deployhooks.models import Delivery, Deploy, Refusal
from tests.deployhooks.rows import make_delivery, make_deploy, make_refusal, make_staff, make_step
from tests.deployhooks.test_admin import LISTS, page_of, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client):
    client.force_login(make_staff("view"))
    return client


HISTORY = 30_000


@pytest.fixture
def history():
    """Deliveries with their deploys, as many of each."""
    if connection.vendor != "sqlite":
        pytest.skip("fills and explains with SQLite's SQL")
    make_delivery(headers={}, payload="x" * 2000)
    make_deploy()
    for model in (Delivery, Deploy):
        _multiply(model)
    through = Deploy.deliveries.through._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {through} (deploy_id, delivery_id) SELECT id, id FROM n")
        cursor.execute(
            "INSERT INTO deployhooks_step (deploy_id, attempt, position, name, status, detail,"
            " output, started_at) SELECT id, 1, 1, 'fetch', 'succeeded', '', 'long', 0 FROM n"
        )
        cursor.execute("ANALYZE")


def _multiply(model):
    table = model._meta.db_table
    fresh = {
        "id": "n.id",
        "guid": "printf('%08x-0000', n.id)",
        "after": "printf('%040x', n.id * 7919)",
        "to_commit": "printf('%040x', n.id * 7919)",
    }
    columns = [field.column for field in model._meta.local_concrete_fields]
    values = [fresh.get(column, f"{table}.{column}") for column in columns]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS n (id INTEGER PRIMARY KEY)")
        cursor.execute(
            "WITH RECURSIVE c(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM c LIMIT %s)"
            " INSERT OR IGNORE INTO n SELECT i FROM c",
            [HISTORY],
        )
        cursor.execute(
            f"INSERT INTO {table} ({','.join(columns)}) SELECT {','.join(values)} FROM {table}, n"
        )


def explain(queries):
    """How SQLite goes through our tables for each query, leaving out subqueries for single rows."""
    plans = []
    with connection.cursor() as cursor:
        for query in queries:
            if '"deployhooks_' in query["sql"] and query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plans.append([detail for _, parent, _, detail in cursor.fetchall() if parent == 0])
    return plans


@pytest.mark.parametrize(
    ("name", "most", "queries"),
    [
        ("delivery", 8, ["", "?p=100", "?outcome=queued", "?event=push"]),
        ("deploy", 16, ["", "?p=100", "?status__exact=succeeded", "?trigger__exact=push"]),
    ],
)
def test_lists_of_a_long_history_take_few_and_bounded_queries(viewer, history, name, most, queries):
    for query in queries:
        with CaptureQueriesContext(connection) as taken:
            page = read(viewer, LISTS[name] + query)
        assert page.count("/change/") >= 50 and "?o=" not in page
        assert len(taken) <= most, query
        for plan in explain(taken.captured_queries):
            # Of a host at most one deploy is queued and one runs: these indexes lead to one row.
            if "one_" not in plan[0]:
                assert "USE TEMP B-TREE FOR ORDER BY" not in plan, query
        for entry in taken:
            assert "COUNT(*)" not in entry["sql"] or "LIMIT 10001" in entry["sql"]
            assert '"payload"' not in entry["sql"] and '"output"' not in entry["sql"]


@pytest.mark.parametrize("field", ["guid", "after"])
def test_search_for_a_part_of_a_guid_or_commit_goes_by_its_index(viewer, history, field):
    wanted = getattr(Delivery.objects.get(pk=5000), field)
    with CaptureQueriesContext(connection) as queries:
        page = read(viewer, f"{LISTS['delivery']}?q={wanted[:39]}")
    assert "/5000/change/" in page and "1 delivery" in page
    plans = explain(queries.captured_queries)
    assert any(
        f"SEARCH deployhooks_delivery USING INDEX delivery_{field}" in str(plan) for plan in plans
    )
    assert not [plan for plan in plans if "SCAN deployhooks_delivery" in plan]


def test_long_history_is_counted_and_paged_no_further_than_the_bound(viewer, history):
    page = read(viewer, LISTS["delivery"])
    bound = BoundedPaginator.BOUND
    assert f"The newest {bound} deliveries" in page and str(HISTORY) not in page
    assert "/change/" in read(viewer, f"{LISTS['delivery']}?p={bound // 50}")


def test_number_of_queries_does_not_grow_with_the_rows(viewer):
    counts = []
    for _ in range(2):
        for _ in range(10):
            deploy = make_deploy([make_delivery(), make_delivery()], status="failed")
            make_step(deploy, status="failed")
            make_refusal()
        with CaptureQueriesContext(connection) as queries:
            for address in LISTS.values():
                read(viewer, address)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("make", "most"), [(make_delivery, 9), (make_refusal, 6)])
def test_pages_take_few_queries(viewer, django_assert_max_num_queries, make, most):
    row = make()
    with django_assert_max_num_queries(most):
        read(viewer, page_of(row))


def test_page_of_a_deploy_takes_few_queries(viewer, django_assert_max_num_queries):
    deploy = make_deploy([make_delivery() for _ in range(3)], status="failed")
    for name in ("fetch", "pull", "submodules"):
        make_step(deploy, name, output="x\n")
    with django_assert_max_num_queries(11):
        read(viewer, page_of(deploy))


def test_refusals_are_never_many_enough_to_need_a_bound():
    assert Refusal.KEPT < BoundedPaginator.BOUND
