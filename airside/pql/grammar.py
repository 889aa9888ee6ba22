"""The grammar of the query language (Plane's PQL reference), and the names of its tokens in messages.

LALR(1), and no terminal can match the same text in two ways, so parsing takes linear time.
"""

GRAMMAR = r"""
?start: either
?either: every (_OR every)*
?every: negation (_AND negation)*
?negation: _NOT negation -> negate
    | "(" either ")"
    | condition

?condition: field COMPARISON value -> compare
    | field _IN items -> among
    | field _NOT _IN items -> outside
    | field _IS (_NULL | _EMPTY) -> missing
    | field _IS _NOT (_NULL | _EMPTY) -> present
    | field _BETWEEN value _AND value -> between
    | field _BETWEEN "(" value "," value ")" -> between
    | field _BETWEEN "[" value "," value "]" -> between
    | function -> predicate

field: WORD
    | _CF "[" STRING "]" -> custom_property

items: "(" value ("," value)* ")"
    | "[" value ("," value)* "]"
    | value

?value: STRING -> string
    | NUMBER -> number
    | TRUE -> true
    | FALSE -> false
    | (WORD | UUID | DATE) -> word
    | function

function: WORD "(" [value ("," value)*] ")"

COMPARISON: "!=" | "<>" | "<=" | ">=" | "=" | "<" | ">" | "~"
STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
UUID.3: /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i
DATE.2: /[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?/i
NUMBER: /-?[0-9]+(?:\.[0-9]+)?/
WORD: /[a-z_][a-z0-9_]*(?:-[a-z0-9_]+)*/i

_AND.4: /and\b/i
_OR.4: /or\b/i
_NOT.4: /not\b/i
_IN.4: /in\b/i
_IS.4: /is\b/i
_NULL.4: /null\b/i
_EMPTY.4: /empty\b/i
_BETWEEN.4: /between\b/i
_CF.4: /cf\b/i
TRUE.4: /true\b/i
FALSE.4: /false\b/i

%ignore /\s+/
"""

TOKENS = {
    "COMPARISON": "an operator (= != < <= > >= ~)",
    "STRING": "a value",
    "UUID": "a value",
    "DATE": "a value",
    "NUMBER": "a value",
    "TRUE": "a value",
    "FALSE": "a value",
    "WORD": "a name",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "_CF": "a name",
    "$END": "the end",
}
