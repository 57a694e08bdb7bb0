/** A text file, put into the bundle as it is. */
declare module "*.jsonl" {
  const text: string;
  export default text;
}
