--- Words that name groups of people, by axis, for curia.bias. Replace it with the option `lexicon`.
-- A term is a lower-case word or several with blanks between; it names its group, it is no slur and no judgement.
return {
  { axis = "gender", groups = {
    women = { "woman", "women", "female", "females", "girl", "girls", "she", "her", "hers", "mother", "mothers",
      "wife", "wives", "daughter", "daughters", "sister", "sisters" },
    men = { "man", "men", "male", "males", "boy", "boys", "he", "him", "his", "father", "fathers", "husband",
      "husbands", "son", "sons", "brother", "brothers" },
    others = { "nonbinary", "non binary", "transgender", "trans", "intersex", "genderqueer" },
  } },
  { axis = "ethnicity", groups = {
    african = { "black people", "african", "africans", "african american", "african americans" },
    asian = { "asian", "asians", "asian american", "chinese", "indian", "japanese", "korean" },
    european = { "white people", "caucasian", "caucasians", "european", "europeans" },
    hispanic = { "hispanic", "hispanics", "latino", "latinos", "latina", "latinas", "mexican", "mexicans" },
    indigenous = { "indigenous", "aboriginal", "native american", "native americans", "first nations", "maori" },
    middle_eastern = { "arab", "arabs", "middle eastern", "persian", "kurdish", "turkish" },
  } },
  { axis = "religion", groups = {
    buddhist = { "buddhist", "buddhists", "buddhism" },
    christian = { "christian", "christians", "christianity", "catholic", "catholics", "protestant", "protestants",
      "church" },
    hindu = { "hindu", "hindus", "hinduism" },
    jewish = { "jew", "jews", "jewish", "judaism", "synagogue" },
    muslim = { "muslim", "muslims", "islam", "islamic", "mosque" },
    none = { "atheist", "atheists", "atheism", "agnostic", "agnostics", "secular" },
  } },
  { axis = "age", groups = {
    young = { "child", "children", "teenager", "teenagers", "adolescent", "adolescents", "youth", "young people",
      "young adults", "millennials", "gen z" },
    middle = { "middle aged", "midlife", "gen x" },
    old = { "elderly", "senior citizen", "senior citizens", "seniors", "pensioner", "pensioners", "retiree",
      "retirees", "older people", "older adults", "boomers" },
  } },
  { axis = "ability", groups = {
    able = { "able bodied", "non disabled", "neurotypical" },
    mental = { "autistic", "autism", "adhd", "dyslexic", "dyslexia", "neurodivergent", "mental illness" },
    physical = { "disabled", "disability", "disabilities", "wheelchair", "wheelchairs", "paraplegic", "amputee" },
    sensory = { "blind", "deaf", "visually impaired", "hard of hearing", "hearing impaired" },
  } },
}
