# Moa's image: Node.js, the operator as JavaScript, its packages, on a base of the C and C++ libraries only. There is no
# shell and no package manager in it, it runs as 65532, and it writes nothing but the ledger. See docs/image.md.
#
# Both bases are fixed by digest, for all platforms. Both are Debian 13, so that the libraries are those that Node.js
# expects. Another base: --build-arg BASE=..., another Node.js: --build-arg NODE=...

ARG NODE=docker.io/library/node:24.21.0-trixie-slim@sha256:8ec5d7557396cfe32d21c3f9c13072355ceab22b584578ca4bb28af31120cffe
ARG BASE=gcr.io/distroless/cc-debian13:nonroot@sha256:e792ab3d241a468a4fd7519ddbbebe66b49b5f365771716ea688ad40b6c6f1c2

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc LICENSE ./
# No script of a package runs, here or later.
RUN ["npm", "ci", "--omit=dev", "--omit=optional", "--ignore-scripts", "--prefer-offline"]
COPY tools/image tools/image
COPY src src
RUN ["node", "tools/image/main.ts", "pack"]

FROM ${BASE}
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build --chmod=0444 /app/package.json /app/LICENSE /app/sbom.cdx.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
# Empty: where a ledger in a file goes. A named volume that is mounted here takes the owner over.
COPY --from=build --chown=65532:65532 /app/ledger /var/lib/moa

# Of the memory limit three quarters are for the JavaScript heap. The rest is for what Node.js keeps outside of it.
ENV NODE_ENV=production NODE_OPTIONS=--max-old-space-size-percentage=75
# By number: Kubernetes can then see that it is not root.
USER 65532:65532
WORKDIR /var/lib/moa
EXPOSE 8080 8081
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]

ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="moa" \
      org.opencontainers.image.description="The operator that a country runs its shared GPUs on" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
