# syntax=docker/dockerfile:1

# The only reference to the base image: a new major version of Node changes just this line.
ARG BASE=node:24-slim

# --- dist/ from src/. Install scripts are skipped: no package needs one, and Node comes from the base image.
FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY build ./build
COPY src ./src
RUN npm run build

# --- run-time dependencies only
FROM ${BASE} AS modules
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# --- the image
FROM ${BASE}
LABEL org.opencontainers.image.title="capillary-aep-relay" \
      org.opencontainers.image.description="Carries loyalty events from Capillary into Adobe Experience Platform and never loses one" \
      org.opencontainers.image.licenses="MIT"

# npm and yarn are not needed at run time; removing them also removes what scanners report about them. Events are stored
# in /data; the link makes the default store.path (./data) point there too. Group 0 is that of a user whom OpenShift chose.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && groupadd --gid 10001 relay \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin relay \
 && install -d -m 0770 -o 10001 -g 0 /data \
 && install -d /app /etc/relay \
 && ln -s /data /app/data \
 && ln -s /app/dist/main.js /usr/local/bin/capillary-relay

WORKDIR /app
COPY package.json LICENSE openapi.yaml ./
COPY --from=modules /app/node_modules ./node_modules
COPY --from=build --chmod=0755 /app/dist ./dist

ENV NODE_ENV=production \
    RELAY_CONFIG=/etc/relay/relay.yaml \
    RELAY_HEALTH_URL=http://127.0.0.1:8081/livez

# Numeric, so that an orchestrator can verify that it is not root. Only /data and /tmp are written to.
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8080 8081

HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.RELAY_HEALTH_URL,{signal:AbortSignal.timeout(4000)}).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]

# No shell, so that SIGTERM reaches node, which drains and exits. By default V8 uses 1 MiB for new objects in a small
# container and spends twice as much time collecting as working, and its four helper threads take both CPUs of a small
# pod away from the threads that answer and write.
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "--disable-sigusr1", "--max-semi-space-size=8", "--v8-pool-size=1", "dist/main.js"]
CMD ["serve", "--config", "/etc/relay/relay.yaml"]
