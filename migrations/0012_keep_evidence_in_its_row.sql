-- A row of evidence is written whole and read whole, by nobody but copydesk: apart, its largest column costs a second table, its
-- index, and a lookup for every candidate. What is longer than a page allows (articles of some 2,000 words) goes apart as before, and
-- so does what is there already, until its article is decided on again.
ALTER TABLE evidence SET (toast_tuple_target = 8160);
