/** An IPv4 or IPv6 address in its usual form, `10.0.0.1` or `2001:db8::1`, from its four or sixteen bytes. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return canonicalIp(words.join(':'));
}

/**
 * The one form that all spellings of an address share. An address with a zone (`fe80::1%eth0`) loses it; what is no address
 * stays as it is.
 */
export function canonicalIp(text: string): string {
  const [bare = ''] = text.split('%');
  if (!bare.includes(':')) return bare;
  // The URL standard writes IPv6 addresses as RFC 5952 does.
  return URL.canParse(`http://[${bare}]`) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
}
