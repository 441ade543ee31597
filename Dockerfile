# Any image with Node 20.19 or newer, npm and a shell; pin it by digest where builds must repeat.
ARG BASE=node:24-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No script of a package runs: what is built needs none.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${BASE}
ARG BASE
ARG REVISION=unknown
LABEL org.opencontainers.image.title="fhir-auth-proxy" \
      org.opencontainers.image.description="A local reverse proxy for OpenEMR's FHIR API that gets and renews the access token and explains every failure" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE}"
# Everything listens inside the container; who may ask is up to FHIR_AUTH_PROXY_ALLOWED_HOSTS, and
# the program does not start beyond loopback without it. The name "localhost" is always allowed.
ENV NODE_ENV=production \
    FHIR_AUTH_PROXY_HOST=0.0.0.0 \
    FHIR_AUTH_PROXY_PORT=8088 \
    FHIR_AUTH_PROXY_ALLOWED_HOSTS=fhir-auth-proxy
COPY package.json LICENSE /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
# Where proxy.config.json is looked for; the environment can say everything instead.
WORKDIR /etc/fhir-auth-proxy
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8088
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["node", "/app/dist/cli.js", "health"]
ENTRYPOINT ["node", "/app/dist/cli.js"]
