# syntax=docker/dockerfile:1

# Blue FaaS in one image: the server, the console's files and the Python environment that builds functions.
# docker build -t blue-faas . && docker run -p 127.0.0.1:3000:3000 -p 127.0.0.1:3001:3001 -v blue-faas:/data blue-faas

# A venv holds absolute paths: it is made here at the path, and with the Debian release's Python, that the last stage has.
FROM debian:bookworm-slim AS python
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY tools tools
ENV XDG_CACHE_HOME=/opt
RUN tools/setup venv

# npm is not needed after this stage's node_modules are there; Debian 12's own Node.js is too old for the packages.
FROM node:20-bookworm-slim AS node

FROM rust:1.95.0-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /src
# RUSTUP_TOOLCHAIN: the image's toolchain is the wanted one; without it rustup would add what rust-toolchain.toml lists for
# development. XDG_CACHE_HOME: the tools and cargo's target directory come to lie under /opt/blue-faas.
ENV RUSTUP_TOOLCHAIN=1.95.0 XDG_CACHE_HOME=/opt
# The tools take minutes to compile and seldom change: a layer of their own, that no source file invalidates.
COPY rust-toolchain.toml ./
COPY tools tools
RUN tools/setup rust cargo-leptos
# Cargo.toml names wasm-bindgen's version; package-lock.json the versions of sass and wasm-opt.
COPY Cargo.toml package.json package-lock.json ./
RUN tools/setup wasm-bindgen npm reference
COPY . .
# The caches make the next build quick; nothing of them is in the image. `make build` copies its results out of the target
# directory, to /src/target.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/opt/blue-faas/target \
    make build

FROM debian:bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Blue FaaS" \
      org.opencontainers.image.description="Turns a Python function into an HTTP endpoint: write, build to WebAssembly, deploy, invoke, watch" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# python3 runs the builder (the venv links to it). tini is process 1: builds are killed as process groups, and what such a
# group leaves behind has to be reaped by somebody.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin blue-faas \
 && install -d -o blue-faas -g blue-faas /data
COPY --from=python /opt/blue-faas/venv /opt/blue-faas/venv
# hash.txt and site are looked for beside the executable.
COPY --from=build /src/target/release/blue-faas /src/target/release/hash.txt /opt/blue-faas/
COPY --from=build /src/target/site /opt/blue-faas/site
COPY LICENSE /usr/share/doc/blue-faas/

# 0.0.0.0: inside a container the loopback address cannot be published. INSECURE accepts that there are no accounts yet:
# publish the ports on 127.0.0.1 only, or put a proxy that authenticates in front.
ENV PATH=/opt/blue-faas:$PATH \
    HOME=/data \
    BLUE_FAAS_ADDR=0.0.0.0:3000 \
    BLUE_FAAS_FUNCTIONS_ADDR=0.0.0.0:3001 \
    BLUE_FAAS_INSECURE=yes \
    BLUE_FAAS_DATA_DIR=/data \
    BLUE_FAAS_VENV=/opt/blue-faas/venv \
    BLUE_FAAS_SITE=/opt/blue-faas/site
# By number, so that Kubernetes' runAsNonRoot can check it.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3000 3001
# The first start prepares the compiler's cache.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["blue-faas", "healthcheck"]
ENTRYPOINT ["tini", "--", "blue-faas"]
