import httpx
import psutil
import pytest


def test_a_killed_service_comes_back_on_its_port(start_service):
    service = start_service()
    service.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(service.base_url)

    service.start()

    assert httpx.get(f"{service.base_url}/healthz").status_code == httpx.codes.OK


@pytest.mark.parametrize("genuine", [False, True])
def test_a_stopped_service_ends_with_status_0_and_leaves_its_data(start_service, genuine):
    service = start_service(genuine=genuine)
    assert ("tests.servers.nursery" in psutil.Process(service._started.pid).cmdline()) != genuine
    assert service.stop() == 0
    assert service.data_dir.is_dir()
    assert "Traceback" not in service.log


def test_settings_of_the_developer_do_not_reach_a_service(start_service, monkeypatch):
    monkeypatch.setenv("SMTP_PORT", "not a port")
    assert start_service().is_ready()


def test_a_wrong_setting_is_reported_with_the_words_of_the_service(start_service):
    with pytest.raises(RuntimeError, match="SMTP_PORT"):
        start_service(SMTP_PORT="not a port")


def test_services_on_one_database_run_side_by_side(start_service, database_url):
    one = start_service(DATABASE_URL=database_url)
    other = start_service(name="other", DATABASE_URL=database_url)
    assert one.port != other.port
    assert one.is_ready()
    assert other.is_ready()


@pytest.mark.parametrize("genuine", [False, True])
def test_a_worker_ends_with_status_0(start_worker, sqlite_url, redis_url, genuine):
    worker = start_worker(genuine=genuine, DATABASE_URL=sqlite_url, REDIS_URL=redis_url)
    assert worker.stop() == 0
