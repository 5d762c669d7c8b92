# Two stages: the first builds the wheel and the environment, the second has nothing that builds.
FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/idp
COPY requirements.lock ./
RUN /opt/idp/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY idp idp
COPY templates templates
COPY config config
RUN /opt/idp/bin/pip install --no-deps --no-build-isolation . \
    && /opt/idp/bin/pip uninstall --yes editables hatchling trove-classifiers pip

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/idp --create-home --shell /usr/sbin/nologin idp
COPY --from=build /opt/idp /opt/idp
ENV PATH=/opt/idp/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER idp
WORKDIR /var/lib/idp
VOLUME /var/lib/idp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["idp"]
CMD ["serve", "--config", "/etc/idp/idp.toml", "--host", "0.0.0.0", "--port", "8000"]
