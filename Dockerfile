# syntax=docker/dockerfile:1
# One image for both components; the last argument names one: `controller` or `agent`.
# `--target dev` adds the EC2 simulator (kustomize/overlays/dev). Behind a private npm registry, pass the secrets `npmrc`
# and `ca` (make docker-build NPMRC=… CA=…); neither gets into the image.

# The bundle is built on the builder's own platform, whatever the image's.
FROM --platform=$BUILDPLATFORM node:24-trixie-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca,target=/run/secrets/ca.pem \
    if [ -s /run/secrets/ca.pem ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca.pem; fi \
    && npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY src ./src
COPY tools/bundle ./tools/bundle
COPY tools/ec2-simulator ./tools/ec2-simulator
RUN npm run compile
RUN npx esbuild dist/tools/ec2-simulator/main.js --bundle --minify --platform=node --target=node24 --format=esm \
    --banner:js="import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" \
    --outfile=dist/ec2-simulator.mjs
# The agent's native code is a package for each platform: the image's, where the builder's is another.
ARG TARGETARCH
RUN --mount=type=cache,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca,target=/run/secrets/ca.pem \
    if [ -s /run/secrets/ca.pem ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca.pem; fi; \
    case $TARGETARCH in amd64) cpu=x64 ;; *) cpu=$TARGETARCH ;; esac \
    && mkdir /native && cp package.json package-lock.json /native \
    && (cd /native && npm ci --no-audit --no-fund --omit=dev --ignore-scripts --os=linux --libc=glibc --cpu=$cpu) \
    && cp -r /native/node_modules/@koromix node_modules/ \
    && ARCHITECTURES=$cpu npm run bundle \
    && find dist/bundle -name '*.map' -delete

# No shell, no package manager; Node 24 at /nodejs/bin/node.
FROM gcr.io/distroless/nodejs24-debian13:nonroot AS runtime
WORKDIR /app
COPY --from=build /src/dist/bundle ./
COPY LICENSE ./
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="eni-operator" \
      org.opencontainers.image.description="Gives Kubernetes nodes the elastic network interfaces that their labels ask for" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
USER 65532:65532
# A small young generation, a heap that leaves a quarter of the container's memory limit to the rest of the process,
# and that grows by little beyond what is in use: most of what it holds is long-lived.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=2", "--max-old-space-size-percentage=75", "--optimize-for-size", "/app/eni-operator.mjs"]
CMD ["controller"]

FROM runtime AS dev
COPY --from=build /src/dist/ec2-simulator.mjs ./

FROM runtime
