/** Uploads that report their progress, which `fetch` does not. */

/**
 * Return a function like `fetch` for one request with a body.
 *
 * @param onProgress called with the part of the body that was sent, from 0 to 1.
 */
export function fetchWithProgress(onProgress: (sent: number) => void): typeof fetch {
  return (address, { method = "GET", headers, body = null, signal = null } = {}) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, String(address));
      new Headers(headers).forEach((value, name) => {
        request.setRequestHeader(name, value);
      });
      request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
      request.onload = () =>
        resolve(
          new Response(request.responseText, {
            status: request.status,
            headers: readHeaders(request.getAllResponseHeaders()),
          }),
        );
      request.onerror = () => reject(new TypeError());
      request.onabort = () => reject(signal?.reason);
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      signal?.addEventListener("abort", () => request.abort());
      request.send(body as XMLHttpRequestBodyInit | null);
    });
}

function readHeaders(lines: string): Headers {
  const headers = new Headers();
  for (const line of lines.trim().split(/[\r\n]+/)) {
    const [name = "", ...value] = line.split(": ");
    if (name !== "") {
      headers.append(name, value.join(": "));
    }
  }
  return headers;
}
