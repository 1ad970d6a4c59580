declare module 'xml-encryption' {
  export function encrypt(
    content: string,
    options: Record<string, unknown>,
    done: (error: Error | null, xml: string) => void,
  ): void;
}
