# One image for the API, the worker and the command line; docker-compose.yml shows the commands.

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY migrations ./migrations
RUN npm run build

FROM node:20-bookworm-slim AS runtime
# Production mode: settings that are only safe in development are refused at start.
ENV NODE_ENV=production \
    PORT=8000 \
    NEXUSRAG_DATA_DIR=/data
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
COPY --from=build /app/dist ./dist
COPY openapi.json ./
# A new named volume takes over owner and mode of the folder that it covers, so the account below can write to it.
RUN install -d -o node -g node -m 0700 /data /data/documents
# The program's own files belong to root: the running process cannot change them.
USER node
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/v1/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
