"""What a Community Edition answers, as data, and how an answer is compared with it. Nothing here knows the stand-in
or the tests, so that this folder can be shipped for a check of a real instance."""
