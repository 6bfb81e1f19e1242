import { readmeExamples } from "@x/testing/readme";

readmeExamples(new URL("../README.md", import.meta.url));
