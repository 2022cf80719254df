// The world a validator or filter runs in: built once for a body, the same at the start of every call.
//
// Evaluates to a function that turns a body's function into a runner. A runner answers in text: "+" if the world
// is as it was, else "-"; a word for the outcome; a space; and JSON where the outcome has a value. What calls
// could share is frozen; what a body assigns without declaring it is removed when the call ends.
(function () {
  "use strict";
  const global = globalThis;
  const { stringify } = JSON;
  const { freeze, is, prototype: top } = Object;
  const { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, isExtensible, ownKeys } =
    Reflect;
  const { join } = Array.prototype;
  const text = String;
  const { isFinite } = Number;
  const Fault = InternalError;

  // Ways to run text as a program could declare names that cannot be removed again; the rest would outlive
  // the call, read a clock finer than a validator needs, or look into other calls' garbage.
  const noPrograms = function () {
    throw new EvalError("text is not run as a program here");
  };
  const samples = [
    function () {},
    function* () {},
    async function () {},
    async function* () {},
  ];
  for (const { constructor: maker } of samples.map(getPrototypeOf)) {
    const stub = { [maker.name]: function () { noPrograms(); } }[maker.name];
    defineProperty(stub, "prototype", { value: maker.prototype });
    defineProperty(maker.prototype, "constructor", { value: stub });
    if (maker === Function) global.Function = stub;
  }
  global.eval = noPrograms;
  for (const name of [
    "Atomics", "FinalizationRegistry", "SharedArrayBuffer", "WeakRef", "performance", "queueMicrotask",
  ]) {
    delete global[name];
  }
  for (const name of ["captureStackTrace", "prepareStackTrace", "stackTraceLimit"]) delete Error[name];

  // A frozen prototype would make `object.toString = ...` fail on whatever inherits from it. As accessors these
  // properties can still be given to the objects themselves.
  const assignable = (owner) => {
    for (const key of ownKeys(owner)) {
      const { value, writable, configurable } = getOwnPropertyDescriptor(owner, key);
      if (!writable || !configurable) continue;
      defineProperty(owner, key, {
        get() { return value; },
        set(replacement) {
          if (this === owner) return;
          defineProperty(this, key, { value: replacement, writable: true, enumerable: true, configurable: true });
        },
      });
    }
  };
  assignable(top);
  for (const key of ownKeys(global)) {
    const value = global[key];
    if (typeof value === "function" && (value === Error || getPrototypeOf(value) === Error)) {
      assignable(value.prototype);
    }
  }

  const seen = new Set([global]);
  const reachable = [
    ...samples, samples[1](), samples[3](), [].values(), "".matchAll(/x/g), ""[Symbol.iterator](), new Map().keys(),
    new Set().keys(), [].values().map(text), Iterator.from({ next() {} }),
  ];
  for (const key of ownKeys(global)) {
    const { value, get } = getOwnPropertyDescriptor(global, key);
    reachable.push(value, get);
    defineProperty(global, key, get ? { configurable: false } : { configurable: false, writable: false });
  }
  for (let at = 0; at < reachable.length; at++) {
    const thing = reachable[at];
    if (Object(thing) !== thing || seen.has(thing)) continue;
    seen.add(thing);
    freeze(thing);
    reachable.push(getPrototypeOf(thing));
    for (const key of ownKeys(thing)) {
      const { value, get, set } = getOwnPropertyDescriptor(thing, key);
      reachable.push(value, get, set);
    }
  }
  const standard = new Set(ownKeys(global));

  // False if something stays behind that the next call would see.
  const tidy = () => {
    const left = ownKeys(global);
    if (left.length !== standard.size) {
      for (const key of left) {
        if (!standard.has(key) && !deleteProperty(global, key)) return false;
      }
    }
    return isExtensible(global) && getPrototypeOf(global) === top;
  };

  const shown = (key, value) => {
    if (value === undefined) return null;
    if (typeof value === "number" && !isFinite(value)) throw `json: unsupported value: ${numeral(value)}`;
    if (typeof value === "function" || typeof value === "symbol") throw `json: unsupported type: ${typeof value}`;
    return value;
  };
  const told = (key, value) => {
    if (value === undefined) return null;
    if (typeof value === "number") return isFinite(value) && !is(value, -0) ? value : numeral(value);
    if (typeof value === "function") return "function";
    if (typeof value === "symbol" || typeof value === "bigint") return text(value);
    return value;
  };
  const numeral = (value) => (value === 0 ? "-0" : value > 0 ? "+Inf" : value < 0 ? "-Inf" : "NaN");

  const verdict = (value) => {
    if (value === true) return ["passed", ""];
    if (value === false || value === null || value === undefined) return ["denied", ""];
    return ["refused", stringify(value, told)];
  };
  const view = (value) => {
    if (value === null || value === undefined) return ["hidden", ""];
    return ["shown", stringify(value, shown)];
  };
  const complaint = (thrown) => {
    if (thrown === null) return ["broken", '"null, as when there is no memory left for an error"'];
    try {
      return [thrown instanceof Fault ? "broken" : "thrown", stringify(text(thrown))];
    } catch {
      return ["broken", '"an exception that cannot be printed"'];
    }
  };

  return (body, isFilter) => {
    freeze(body);
    freeze(body.prototype);
    const outcome = isFilter ? view : verdict;
    const run = (args) => {
      try {
        return outcome(apply(body, undefined, args));
      } catch (thrown) {
        return complaint(thrown);
      }
    };
    return (who, first, second) => {
      const args = isFilter ? [who ?? undefined, first] : [who ?? undefined, first, second ?? undefined];
      const [word, value] = run(args);
      // Joined, since the caller cannot take strings that are kept as pieces.
      return apply(join, [tidy() ? "+" : "-", word, " ", value], [""]);
    };
  };
})()
