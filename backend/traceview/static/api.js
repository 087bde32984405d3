// Requests to traceview. Only a failed request means that the server is unreachable; an error
// while the page processes a response does not.

export class UnreachableError extends Error {}

const FROM_PROXIES = [502, 503, 504];

/**
 * Send a request, and read the whole response.
 * @param {string} path
 * @param {RequestInit & { expected?: number[] }} [options] `expected`: error statuses to return
 * @returns {Promise<{ status: number, headers: Headers, etag: string | null, text: string }>}
 * @throws {UnreachableError} there was no response, or only a part of it
 * @throws {Error} the response has another error status
 */
export async function ask(path, { expected = [], ...options } = {}) {
  let response;
  let text;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new UnreachableError(String(error));
  }
  const { status, ok, headers } = response;
  if (FROM_PROXIES.includes(status)) throw new UnreachableError(`status ${status}`);
  if (!ok && status !== 304 && !expected.includes(status)) throw new Error(`${path} returned status ${status}: ${text.slice(0, 200)}`);
  return { status, headers, etag: headers.get("ETag"), text };
}
