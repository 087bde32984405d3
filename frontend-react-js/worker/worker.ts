/**
 * The service worker: opens the page when the network or the server is away.
 *
 * It stores the document and the scripts and styles of one build, and nothing else. API responses,
 * pictures and the pages of people and cruds are never stored, so that no crud outlives its end.
 *
 * Pages come from the network whenever it answers. A deployment therefore shows at the next visit,
 * whichever version of this worker is active. The browser compares this file with the server's at
 * each visit; the build changes it whenever it changes another file.
 */

/** The addresses of the scripts and styles, and a digest of the build (`vite.config.ts`). */
declare const BUILD: { readonly files: readonly string[]; readonly digest: string };

const worker = self as unknown as ServiceWorkerGlobalScope; // the types are those of any worker

const DOCUMENT = "/";
const PREFIX = "cruddur.";
/** Versions whose files are kept: this one, and the one that open tabs may still load from. */
const KEPT = 2;

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin || request.method !== "GET") {
    return;
  }
  if (request.mode === "navigate" && isPage(pathname)) {
    event.respondWith(open(event));
  } else if (BUILD.files.includes(pathname)) {
    event.respondWith(load(request));
  }
});

/**
 * Store the build.
 *
 * @throws {Error} the server has another build by now, whose worker will store it; or a file is
 *   missing.
 */
async function install(): Promise<void> {
  const found = await fetch(DOCUMENT, { cache: "reload", credentials: "omit" });
  const named = (await found.clone().text()).match(/\/assets\/[^"]+/g) ?? [];
  if (!found.ok || !named.every((file) => BUILD.files.includes(file))) {
    throw new Error("The document is not of this build.");
  }
  const cache = await caches.open(PREFIX + BUILD.digest);
  await Promise.all([cache.put(DOCUMENT, found), cache.addAll([...BUILD.files])]);
  await worker.skipWaiting();
}

/** Delete the files of old versions, and take over the open tabs. */
async function activate(): Promise<void> {
  const versions = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(versions.slice(0, -KEPT).map((name) => caches.delete(name)));
  await worker.registration.navigationPreload?.enable(); // the request need not wait for this worker
  await worker.clients.claim();
}

/** A page from the network, or the stored document if there is no response. */
async function open(event: FetchEvent): Promise<Response> {
  try {
    const preloaded: Response | undefined = await event.preloadResponse;
    return preloaded ?? (await fetch(event.request));
  } catch (failure) {
    const cache = await caches.open(PREFIX + BUILD.digest);
    const stored = await cache.match(DOCUMENT);
    if (stored === undefined) {
      throw failure;
    }
    return stored;
  }
}

/** A script or style, whose name has a digest of its content. */
async function load(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

/** Whether a path is one of the front end's pages. */
function isPage(path: string): boolean {
  return !/^\/(?:api|docs|assets|\.well-known)(?:\/|$)|\.\w+$/.test(path);
}
