"""The front end: the only code that knows authoring objects and the IR.

``reading`` visits every object once and makes the outline, on which the table depends; ``discover``
gives identities; ``lower_*`` turn a reading into the declarations of a chart; ``tables`` caches
tables by outline; and ``bind`` connects the symbols of a table with the user's objects. The front
end reads agents by their attributes, so it can check agents of the published SDK as well.
"""
