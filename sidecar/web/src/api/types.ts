// The API's types, under the names by which the pages know them.
export type * from "./provisional";
