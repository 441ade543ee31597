# Any image with Node 20.19 or newer; pin it by digest where builds must repeat.
ARG BASE=node:24-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM ${BASE}
LABEL org.opencontainers.image.title="fhir-auth-proxy" \
      org.opencontainers.image.description="A local reverse proxy for OpenEMR's FHIR API that gets and renews the access token and explains every failure" \
      org.opencontainers.image.licenses="Apache-2.0"
# Everything listens inside the container; who may ask is up to FHIR_AUTH_PROXY_ALLOWED_HOSTS, and
# the program does not start beyond loopback without it. The name "localhost" is always allowed.
ENV NODE_ENV=production \
    FHIR_AUTH_PROXY_HOST=0.0.0.0 \
    FHIR_AUTH_PROXY_PORT=8088 \
    FHIR_AUTH_PROXY_ALLOWED_HOSTS=fhir-auth-proxy
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8088
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.FHIR_AUTH_PROXY_PORT}/_proxy/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/cli.js"]
