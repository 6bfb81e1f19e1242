export { jmtSha256 } from "../scheme/jmt-sha256.ts";
export { rooch } from "../scheme/rooch.ts";
