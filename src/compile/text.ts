/**
 * A value as text that tells it apart from every other: unlike JSON, which writes infinities and NaN as null and -0 as 0.
 */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf)}]`;
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'object':
      if (value === null) return 'null';
      return `{${Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}:${textOf(field)}`)}}`;
    default:
      return `${JSON.stringify(value)}`;
  }
}
