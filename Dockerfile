# Build: install what production needs, from the lock file. No embedded database, no browser, no bundled runtime.
FROM node:26-slim AS build
WORKDIR /gateway
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts
COPY LICENSE ./
# What the command line starts with: npm run -s gateway.
COPY scripts/require-node.mjs ./scripts/
COPY migrations ./migrations
COPY src ./src

FROM node:26-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /gateway
COPY --from=build --chown=root:root /gateway ./
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1: SIGTERM reaches it and the gateway ends by itself.
CMD ["node", "--max-semi-space-size=8", "src/main.ts"]
